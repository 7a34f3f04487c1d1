"""Retry, discard and resync: canary, cut-off, two operators at once, nobody who could do it, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from projections.cli import dlq_retry
from projections.runtime.requests import Asked, ask_retry
from tests.integration.projections.cli.conftest import Projector
from tests.integration.projections.cli.letters import (
    ERROR,
    FINGERPRINT,
    PRODUCTS,
    TOPIC,
    Hands,
    Store,
    open_products,
    park,
    price_set,
    work,
)

BY_FINGERPRINT = ("dlq", "retry", "products", "--fingerprint", FINGERPRINT)
FIRST = PRODUCTS[0]


@pytest.fixture
def keys(store: Store) -> list[str]:
    """Five parked letters of five products, and a worker that is alive."""
    open_products(store)
    return [park(store, product, 20 + number) for number, product in enumerate(PRODUCTS[:5])]


def requests(store: Store) -> list[dict[str, Any]]:
    return list(store["projection_requests"].find().sort("_id"))


def test_one_letter_goes_first_and_then_the_rest(store: Store, keys: list[str], projector: Projector) -> None:
    with Hands(store) as hands:
        ended = projector(*BY_FINGERPRINT)
    assert ended.code == 0, ended
    assert [request["total"] for request in hands.done] == [1, 4]
    assert "5 letters parked until now; later ones are not touched\nfirst one of them as a canary" in ended.out
    assert "products: the canary was applied, the first of 5 letters; then 4 of 4 letters applied" in ended.out
    assert store["projection_dead_letters"].count_documents({}) == 0


def test_when_the_canary_fails_nothing_more_is_asked(store: Store, keys: list[str], projector: Projector) -> None:
    with Hands(store, fails=set(keys)) as hands:
        ended = projector(*BY_FINGERPRINT)
    assert ended.code == 1 and "the canary was not applied, nothing more is asked" in ended.out
    assert f"{'/'.join(keys[0].split('|')[2:])}: {ERROR}" in ended.out
    assert [request["total"] for request in hands.done] == [1] and len(requests(store)) == 1


@pytest.mark.parametrize("mixed", [True, False], ids=["mixed", "of one kind"])
def test_when_the_canary_of_many_kinds_fails_another_way_is_named(
    mixed: bool, store: Store, keys: list[str], projector: Projector
) -> None:
    if mixed:
        park(store, PRODUCTS[7], 60, fingerprint="aaaaaaaaaaaa")
    with Hands(store, fails=set(keys)):
        ended = projector("dlq", "retry", "products", "--all", "--yes")
    assert ended.code == 1 and ("failed in 2 ways" in ended.out) is mixed
    assert ("--fingerprint F retries one kind" in ended.out) is mixed


def test_without_the_guard_a_failing_canary_would_not_stop_it(
    store: Store, keys: list[str], projector: Projector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The seeded defect: the test above can fail."""
    monkeypatch.setattr(dlq_retry, "_canary", lambda *_: None)
    with Hands(store, fails=set(keys)) as hands:
        projector(*BY_FINGERPRINT)
    assert [request["total"] for request in hands.done] == [5]


def test_without_a_canary_all_are_asked_at_once(store: Store, keys: list[str], projector: Projector) -> None:
    with Hands(store, fails={keys[3]}) as hands:
        ended = projector(*BY_FINGERPRINT, "--no-canary", "--json")
    assert ended.code == 1 and [request["total"] for request in hands.done] == [5]
    said = ended.json
    assert said["canary"] is None
    assert (said["request"]["done"], said["request"]["failed"]) == (4, 1)


def test_a_single_letter_needs_no_canary(store: Store, keys: list[str], projector: Projector) -> None:
    name = "/".join(keys[2].split("|")[2:])
    with Hands(store) as hands:
        ended = projector("dlq", "retry", "products", "--letter", name, "--json")
    assert ended.code == 0 and ended.json["canary"] is None and len(hands.done) == 1


@pytest.mark.parametrize(("defect", "left"), [(False, [99]), (True, [])], ids=["guarded", "seeded defect"])
def test_letters_that_come_after_the_start_are_not_touched(
    defect: bool, left: list[int], store: Store, keys: list[str], projector: Projector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One is parked while the canary is tried: without the cut-off it would go in with the rest."""

    def after_one_more(*arguments: Any, parked_until: datetime, **more: Any) -> Asked:
        park(store, PRODUCTS[9], 99, first_at=datetime.now(UTC))
        return ask_retry(*arguments, **more, parked_until=None if defect else parked_until)

    monkeypatch.setattr(dlq_retry, "ask_retry", after_one_more)
    with Hands(store):
        assert projector(*BY_FINGERPRINT).code == 0
    assert [row["sequence"] for row in store["projection_dead_letters"].find()] == left


def test_only_the_first_letter_of_an_aggregate_goes_alone(store: Store, projector: Projector) -> None:
    open_products(store)
    first = park(store, FIRST, 17)
    park(store, FIRST, 18, version=6, held_by=17)
    ended = projector("dlq", "retry", "products", "--letter", f"{TOPIC}/{price_set(FIRST, 1, 1).partition}/18")
    assert ended.code == 1 and "earlier letters of" in ended.err and first in ended.err


@pytest.mark.parametrize(
    ("paused", "said"),
    [(False, "products: nobody works on it."), (True, "products: paused by ana")],
    ids=["nobody", "paused"],
)
def test_nobody_who_could_do_it_is_said_at_once_and_the_request_stays(
    paused: bool, said: str, store: Store, projector: Projector
) -> None:
    open_products(store, worker=paused)
    park(store, FIRST, 17)
    if paused:
        assert projector("pause", "products", "--by", "ana").code == 0
    ended = projector("dlq", "retry", "products", "--aggregate", str(FIRST), "--wait", "600")
    assert ended.code == 1 and said in ended.out and "The request stays and is carried out after" in ended.out
    (request,) = requests(store)
    assert request["state"] == "waiting"
    assert f"its number is {request['_id']}, see manage.py projector dlq stats products" in ended.out
    assert f"its number is {request['_id']}" in projector("dlq", "stats").out


def test_a_worker_that_hangs_is_nobody(store: Store, projector: Projector) -> None:
    open_products(store, state="hanging")
    park(store, FIRST, 17)
    ended = projector("dlq", "retry", "products", "--aggregate", str(FIRST), "--wait", "600")
    assert ended.code == 1 and "nobody works on it" in ended.out


def test_it_gives_up_when_nothing_moves(store: Store, projector: Projector) -> None:
    open_products(store)
    park(store, FIRST, 17)
    ended = projector("dlq", "retry", "products", "--aggregate", str(FIRST), "--wait", "0.3")
    assert ended.code == 1 and "nothing moved for 0.3 s" in ended.out and "1 still waiting" in ended.out


def test_the_second_operator_is_told_of_the_first(store: Store, keys: list[str], projector: Projector) -> None:
    mine = projector(*BY_FINGERPRINT, "--no-canary", "--no-wait", "--by", "ana")
    assert mine.code == 0 and "asked; its number is" in mine.out
    theirs = projector(*BY_FINGERPRINT, "--no-canary", "--by", "ben", "--json")
    assert theirs.code == 1 and "already" in theirs.json["error"] and "5 parked letters" in theirs.json["error"]
    assert [request["by"] for request in requests(store)] == ["ana"]


def test_who_asks_is_the_user_and_the_host_unless_it_is_said(
    store: Store, keys: list[str], projector: Projector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "ana")
    monkeypatch.setattr("socket.gethostname", lambda: "ops-1")
    projector(*BY_FINGERPRINT, "--no-canary", "--no-wait")
    assert [request["by"] for request in requests(store)] == ["ana@ops-1"]


def test_discarding_keeps_the_reason_and_points_to_resync(store: Store, keys: list[str], projector: Projector) -> None:
    arguments = ("dlq", "discard", "products", "--aggregate", str(FIRST), "--reason", "a test", "--yes")
    with Hands(store):
        ended = projector(*arguments)
    assert ended.code == 0 and "1 of 1 letter discarded" in ended.out and "projector resync products" in ended.out
    (letter,) = store["projection_dead_letters"].find({"state": "discarded"})
    assert letter["discarded_reason"] == "a test"


def test_resync_asks_for_one_aggregate(store: Store, projector: Projector) -> None:
    open_products(store)
    work(store, "orders")
    with Hands(store):
        ended = projector("resync", "orders", str(FIRST), "--wait", "5", "--json")
    assert ended.code == 0 and ended.json["aggregate"] == f"order:{FIRST}"
    (request,) = requests(store)
    assert (request["action"], request["topic"]) == ("resync", "acme.orders")


def test_what_a_bare_id_is_comes_from_letters_positions_or_documents(store: Store, projector: Projector) -> None:
    open_products(store)
    letter, seen, owner, nowhere = PRODUCTS[:4]
    park(store, letter, 17)
    store["positions__g1"].insert_one({"_id": f"stock_item:{seen}"})
    store["products__g1"].insert_one({"_id": str(owner)})
    for key, kind in ((letter, "product"), (seen, "stock_item"), (owner, "product")):
        ended = projector("resync", "products", str(key), "--no-wait", "--json")
        assert ended.json["aggregate"] == f"{kind}:{key}"
    ended = projector("resync", "products", str(nowhere))
    assert ended.code == 2 and "say its type (product:…, stock_item:…)" in ended.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("resync", "products", "prodct:00000000-0000-7000-8000-000000000001"), "did you mean product?"),
        (("resync", "products", "product:17"), "'17' is no aggregate id"),
        (("resync", "prodcts", str(FIRST)), "did you mean products?"),
        (("dlq", "retry", "products"), "is required"),
        (("dlq", "retry", "products", "--all", "--fingerprint", "f"), "not allowed with"),
        (("dlq", "retry", "products", "--all", "--wait", "soon"), "soon: seconds"),
        (("dlq", "retry", "products", "--letter", "17"), "'17' is no letter"),
        (("dlq", "discard", "products", "--all", "--yes"), "--reason"),
        (("dlq", "discard", "products", "--all", "--yes", "--reason", " "), "it is empty"),
        (("dlq", "list", "--aggregate", str(FIRST)), "name it"),
        (("dlq", "list", "--limit", "0"), "0: a whole number, at least 1"),
        (("dlq",), "are required"),
        (("lag", "--watch", "--interval", "0"), "0: seconds"),
        (("pause",), "--all"),
        (("pause", "products", "--all"), "--all"),
        (("reset", "nothing", "--yes"), "no projection nothing. There are carts"),
    ],
)
def test_wrong_words_are_usage(arguments: tuple[str, ...], said: str, store: Store, projector: Projector) -> None:
    open_products(store)
    ended = projector(*arguments)
    assert ended.code == 2 and said in ended.err, ended
    assert not requests(store)


def test_a_canary_cannot_be_had_without_waiting(store: Store, keys: list[str], projector: Projector) -> None:
    ended = projector(*BY_FINGERPRINT, "--no-wait")
    assert ended.code == 2 and "--no-canary" in ended.err and not requests(store)


@pytest.mark.parametrize(
    "arguments",
    [
        ("dlq", "retry", "products", "--all"),
        ("dlq", "discard", "products", "--all", "--reason", "a test"),
        ("dlq", "discard", "products", "--aggregate", str(FIRST), "--reason", "a test"),
        ("reset", "products"),
    ],
)
def test_what_destroys_refuses_when_nobody_can_be_asked(
    arguments: tuple[str, ...], store: Store, keys: list[str], projector: Projector
) -> None:
    ended = projector(*arguments)
    assert ended.code == 2 and "say --yes" in ended.err
    assert not requests(store)
    assert store["projection_pointers"].find_one({"_id": "products"})["live"] == 1


def test_without_the_guard_it_would_not_be_asked(
    store: Store, keys: list[str], projector: Projector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The seeded defect: the test above can fail."""
    monkeypatch.setattr("projections.cli.output.Output.confirm", lambda *_, **__: None)
    projector("dlq", "retry", "products", "--all", "--no-canary", "--no-wait")
    assert len(requests(store)) == 1


def test_nothing_to_retry_is_a_finding(store: Store, projector: Projector) -> None:
    open_products(store)
    for selection in (("--all", "--yes"), ("--fingerprint", "000000000000")):
        ended = projector("dlq", "retry", "products", *selection)
        assert ended.code == 1 and "nothing of products to retry" in ended.err


@pytest.mark.usefixtures("at_terminal")
def test_a_dry_run_shows_which_would_fail_and_writes_nothing(store: Store, projector: Projector) -> None:
    """The product of the letters was never created here, so a price cannot be set."""
    open_products(store)
    for number in (17, 18):
        park(store, FIRST, number, version=number, held_by=17 if number > 17 else None)
    shown = projector("dlq", "retry", "products", "--all", "--dry-run")
    assert shown.code == 1 and shown.width <= 80
    assert "0 letters would go in, 1 would fail, 1 would wait behind them" in shown.out
    said = projector("dlq", "retry", "products", "--all", "--dry-run", "--limit", "1", "--json").json
    assert said["total"] == 2 and [row["ok"] for row in said["letters"]] == [False]
    assert not requests(store) and store["projection_dead_letters"].count_documents({"state": "parked"}) == 2
