"""Read-your-writes, as a client sees it, on a store whose checkpoints the test moves."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from acme.identity import Role
from acme.token import Written, encode_token, stream_of
from queries import freshness
from tests.integration.queries.conftest import STAFF, Ask, ReadStore, bearer
from tests.integration.queries.documents import category, order, product, sales_day

SALES = "reports/sales?from=2026-01-01&to=2026-01-31"


def token(*written: Written) -> str:
    return encode_token(written)


def position(store: ReadStore, written: Written, sequence: int) -> None:
    topic, partition = stream_of(written)
    values = {"version": written.version, "topic": topic, "partition": partition, "sequence": sequence}
    store.put("positions", {"_id": written.key, **values, "seen_at": datetime.now(UTC)})


def stop(store: ReadStore, read_model: str, written: Written, *, first_version: int) -> None:
    entry = {"projection": read_model, "generation": 1, "aggregate": written.key, "first_version": first_version}
    key = f"{read_model}|1|{written.key}"
    store.collection("projection_stopped").insert_one(
        {"_id": key, **entry, "event_type": "OrderPlaced", "error": "KeyError: 'lines'"}
    )


def problem(response: Any, code: str) -> dict[str, Any]:
    assert response["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert (response.status_code, body["code"]) == (503, code)
    return body


def test_without_a_token_nothing_is_said_of_consistency(store: ReadStore, ask: Ask) -> None:
    answer = ask("products", headers={"Prefer": "wait=9"})
    assert answer.status_code == 200
    assert not answer.has_header("Consistency")
    assert not answer.has_header("Preference-Applied")


@pytest.mark.parametrize("wrong", ["x", "%%", "gA", "A" * 20_000, "é"])
def test_an_invalid_token_is_a_400_that_names_the_header(ask: Ask, wrong: str) -> None:
    answer = ask("products", headers={"Consistency-Token": wrong})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["header"] == "Consistency-Token"


def test_the_own_document_answers_at_once(store: ReadStore, ask: Ask) -> None:
    mug = product("Mug")  # its section is at version 3
    store.put("products", mug)
    store.put("categories", category("Mugs"))
    written = Written("product", UUID(mug["_id"]), 3)
    # `categories` shares the topic, so it must have passed the event too
    headers = {"Consistency-Token": token(written), "Prefer": "wait=0"}
    problem(ask("products/mug", headers=headers), "read-model-behind")
    position(store, written, 12)
    topic, partition = stream_of(written)
    store.checkpoint("categories", topic, partition, 12)
    answer = ask("products/mug", headers=headers)
    assert (answer.status_code, answer["Consistency"], answer["Preference-Applied"]) == (200, "current", "wait=0")


def test_behind_says_how_many_events(store: ReadStore, ask: Ask) -> None:
    sale = Written("order", uuid4(), 2)
    topic, partition = stream_of(sale)
    position(store, sale, 20)
    store.checkpoint("sales_by_day", topic, partition, 13)
    headers = {**STAFF, "Consistency-Token": token(sale), "Prefer": "wait=0"}
    answer = ask("/api/v1/" + SALES, headers=headers)
    body = problem(answer, "read-model-behind")
    assert (body["events_behind"], body["read_models"], answer["Retry-After"]) == (7, ["sales_by_day"], "1")
    lenient = ask("/api/v1/" + SALES, headers={**headers, "Prefer": "wait=0, handling=lenient"})
    assert (lenient.status_code, lenient["Consistency"]) == (200, "behind")
    assert lenient["Preference-Applied"] == "wait=0, handling=lenient"
    store.checkpoint("sales_by_day", topic, partition, 20)
    assert ask("/api/v1/" + SALES, headers=headers)["Consistency"] == "current"


def test_an_unknown_position_is_counted_by_the_lag(store: ReadStore, ask: Ask) -> None:
    store.heads(sequence=3)
    headers = {**STAFF, "Consistency-Token": token(Written("order", uuid4(), 1)), "Prefer": "wait=0"}
    assert problem(ask("/api/v1/" + SALES, headers=headers), "read-model-behind")["events_behind"] == 24
    store.heads(sequence=3, seen_at=datetime.now(UTC) - timedelta(minutes=1))
    assert problem(ask("/api/v1/" + SALES, headers=headers), "read-model-behind")["events_behind"] is None


def test_an_older_position_does_not_count(store: ReadStore, ask: Ask) -> None:
    old = Written("order", uuid4(), 1)
    topic, partition = stream_of(old)
    position(store, old, 5)
    store.checkpoint("sales_by_day", topic, partition, 9)
    headers = {**STAFF, "Prefer": "wait=0"}
    assert ask("/api/v1/" + SALES, headers={**headers, "Consistency-Token": token(old)}).status_code == 200
    newer = token(Written("order", old.aggregate_id, 2))
    problem(ask("/api/v1/" + SALES, headers={**headers, "Consistency-Token": newer}), "read-model-behind")


def test_it_waits_until_the_projector_has_come_so_far(store: ReadStore, ask: Ask) -> None:
    placed = order(token_hash="x")
    written = Written("order", UUID(placed["_id"]), 1)
    headers = {**STAFF, "Consistency-Token": token(written), "Prefer": "wait=10"}
    assert ask(f"orders/{placed['_id']}", headers=STAFF).status_code == 404
    later = threading.Timer(0.3, lambda: store.put("orders", placed))
    later.start()
    started = time.monotonic()
    answer = ask(f"orders/{placed['_id']}", headers=headers)
    later.join()
    assert (answer.status_code, answer["Consistency"]) == (200, "current")
    assert 0.25 < time.monotonic() - started < 5


def test_other_topics_of_the_token_are_ignored(store: ReadStore, ask: Ask) -> None:
    placed = order()
    store.put("orders", placed)
    foreign = [Written("cart", uuid4(), 9), Written("stock_item", uuid4(), 9), Written("product", uuid4(), 9)]
    headers = {**STAFF, "Consistency-Token": token(*foreign, Written("order", UUID(placed["_id"]), 1))}
    assert ask(f"orders/{placed['_id']}", headers=headers)["Consistency"] == "current"


def test_a_read_model_that_never_ran_is_behind(store: ReadStore, ask: Ask) -> None:
    store.collection("projection_pointers").delete_one({"_id": "orders"})
    headers = {**STAFF, "Consistency-Token": token(Written("order", uuid4(), 1)), "Prefer": "wait=0"}
    problem(ask("orders", headers=headers), "read-model-behind")


def test_a_stopped_aggregate_answers_at_once(store: ReadStore, ask: Ask) -> None:
    stopped = Written("order", uuid4(), 3)
    topic, partition = stream_of(stopped)
    position(store, stopped, 8)
    store.checkpoint("orders", topic, partition, 8)
    stop(store, "orders", stopped, first_version=2)
    customer = {"Authorization": bearer(Role.CUSTOMER, customer_id=str(uuid4()))}
    headers = {"Consistency-Token": token(stopped), "Prefer": "wait=20"}
    started = time.monotonic()
    body = problem(ask("orders", headers={**headers, **STAFF}), "read-model-stopped")
    assert "KeyError" in body["detail"]
    assert body["aggregate"] == stopped.key
    assert "KeyError" not in problem(ask("orders", headers={**headers, **customer}), "read-model-stopped")["detail"]
    assert time.monotonic() - started < 5
    lenient = ask("orders", headers={**headers, **STAFF, "Prefer": "handling=lenient"})
    assert (lenient.status_code, lenient["Consistency"]) == (200, "behind")
    before = token(Written("order", stopped.aggregate_id, 1))
    assert ask("orders", headers={**STAFF, "Consistency-Token": before})["Consistency"] == "current"


def test_the_live_generation_is_read_anew(store: ReadStore, ask: Ask) -> None:
    placed = order()
    assert ask(f"orders/{placed['_id']}", headers=STAFF).status_code == 404  # the pointer is cached now
    store.put("orders", placed, generation=2)
    store.point(orders=2)
    headers = {**STAFF, "Consistency-Token": token(Written("order", UUID(placed["_id"]), 1))}
    assert ask(f"orders/{placed['_id']}", headers=headers).status_code == 200


def test_the_cached_tree_is_read_anew(store: ReadStore, ask: Ask) -> None:
    mugs = category("Mugs")
    assert ask("categories").json()["results"] == []
    store.collection("categories__g1").insert_one(mugs)
    assert ask("categories").json()["results"] == []  # still the cached tree
    headers = {"Consistency-Token": token(Written("category", UUID(mugs["_id"]), 1))}
    assert [node["slug"] for node in ask("categories", headers=headers).json()["results"]] == ["mugs"]


def test_as_of(store: ReadStore, ask: Ask) -> None:
    seen = datetime.now(UTC).replace(microsecond=250_000)
    store.heads(seen_at=seen)
    assert ask("orders", headers=STAFF)["As-Of"] == seen.isoformat().replace("+00:00", "Z")
    store.put("sales_by_day", sales_day("2026-01-01"))
    assert ask("/api/v1/" + SALES, headers=STAFF).json()["as_of"] == seen.isoformat().replace("+00:00", "Z")
    store.heads(seen_at=seen - timedelta(minutes=5))
    store.forget()
    assert ask("orders", headers=STAFF)["As-Of"] == "unknown"
    assert ask("/api/v1/" + SALES, headers=STAFF).json()["as_of"] is None


def test_long_waits_leave_threads_for_others(store: ReadStore, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(freshness, "_long_waits", threading.BoundedSemaphore(1))
    monkeypatch.setattr(freshness, "FREE_SECONDS", 0.1)
    headers = {**STAFF, "Consistency-Token": token(Written("order", uuid4(), 1)), "Prefer": "wait=3"}
    waiting = threading.Thread(target=lambda: ask("orders", headers=headers))
    waiting.start()
    time.sleep(0.5)
    started = time.monotonic()
    problem(ask("orders", headers=headers), "read-model-behind")
    assert time.monotonic() - started < 2
    assert waiting.is_alive()
    waiting.join()
