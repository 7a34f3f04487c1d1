"""Pause, resume and reset through the pointer, and every subcommand when MongoDB is not there."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from projections.cli import store as store_of_cli
from projections.runtime import control
from projections.runtime.control import read_orders
from queries.documents.connection import live_generation
from tests.integration.projections.cli.conftest import Projector
from tests.integration.projections.cli.letters import PRODUCTS, Store, open_products, park


def test_pause_and_resume_by_name(store: Store, projector: Projector) -> None:
    open_products(store)
    paused = projector("pause", "products", "orders", "--reason", "index", "--by", "ana", "--json")
    assert paused.code == 0
    assert [(row["projection"], row["paused"]) for row in paused.json["projections"]] == [
        ("products", True),
        ("orders", True),
    ]
    note = read_orders(store, "products").paused
    assert (note["by"], note["reason"]) == ("ana", "index")
    again = projector("pause", "products", "--by", "ben", "--reason", "lunch")
    assert again.code == 0 and "products is paused already by ana since 20" in again.out and ": index" in again.out
    assert read_orders(store, "products").paused == note  # and so the alert of a forgotten pause is not put off
    assert "products goes on" in projector("resume", "products").out
    assert "products was not paused" in projector("resume", "products").out
    assert not read_orders(store, "products").paused and read_orders(store, "orders").paused


def test_one_that_was_never_run_keeps_nobody_from_the_others(store: Store, projector: Projector) -> None:
    open_products(store)
    ended = projector("pause", "--all")
    assert ended.code == 1 and "carts was never run" in ended.out and "orders is paused" in ended.out
    assert read_orders(store, "products").paused and read_orders(store, "orders").paused


def test_reset_begins_a_new_empty_generation(store: Store, projector: Projector) -> None:
    open_products(store)
    park(store, PRODUCTS[0], 17)
    ended = projector("reset", "products", "--yes", "--by", "ana", "--json")
    assert ended.code == 0 and ended.json == {"projection": "products", "generation": 2, "previous": 1}
    assert store["projection_pointers"].find_one({"_id": "products"})["reset_by"] == "ana"
    assert live_generation("products", fresh=True) == 2  # readers may go on with the old one for a second
    (row,) = projector("status", "products", "--json").json["projections"]
    assert (row["generation"], row["applied"]) == (2, 0)
    never = projector("reset", "carts", "--yes")
    assert never.code == 1 and "nothing to reset" in never.err


def test_the_first_note_is_answered_until_it_is_taken_away(store: Store) -> None:
    open_products(store)
    control.pause(store, "products", by="ana", reason="index")
    assert (control.pause(store, "products", by="ben") or {})["by"] == "ana"
    store["projection_pointers"].update_one({"_id": "products"}, {"$unset": {"paused": ""}})
    assert control.pause(store, "products", by="ben") is None and read_orders(store, "products").paused["by"] == "ben"


def test_the_question_says_what_becomes_of_letters(store: Store, projector: Projector) -> None:
    open_products(store)
    park(store, PRODUCTS[0], 17)
    asked = projector("reset", "products").err
    assert "1 parked letter of it will be left behind" in asked
    assert "What was discarded before is tried again as well, and parked again if it still fails." in asked


EVERY = [
    ("status",),
    ("lag",),
    ("lag", "--watch"),
    ("pause", "products"),
    ("resume", "products"),
    ("reset", "products", "--yes"),
    ("resync", "orders", str(PRODUCTS[0])),
    ("dlq", "list"),
    ("dlq", "show", "products", "acme.catalog/3/17"),
    ("dlq", "stats"),
    ("dlq", "retry", "products", "--all", "--yes"),
    ("dlq", "retry", "products", "--all", "--dry-run"),
    ("dlq", "discard", "products", "--all", "--yes", "--reason", "a test"),
]


@pytest.mark.parametrize("arguments", EVERY, ids=" ".join)
def test_without_mongodb_every_subcommand_ends_with_3(
    arguments: tuple[str, ...], point_mongodb: Callable[[str | None], None], projector: Projector
) -> None:
    point_mongodb(None)
    ended = projector(*arguments, "--json")
    assert ended.code == 3 and "MONGODB_URL is not set" in ended.err and "MONGODB_URL" in ended.json["error"]


@pytest.mark.parametrize("server", ["gone", "silent"])
def test_a_server_that_does_not_answer_is_said_in_one_line(
    server: str,
    request: pytest.FixtureRequest,
    point_mongodb: Callable[[str | None], None],
    projector: Projector,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    point_mongodb(f"mongodb://{request.getfixturevalue(server)}/acme")
    monkeypatch.setattr(store_of_cli, "SECONDS", 0.5)
    started = time.monotonic()
    ended = projector("dlq", "stats")
    assert ended.code == 3 and "MongoDB cannot be reached" in ended.err
    assert ended.err.count("\n") == 1 and "Topology" not in ended.err, ended.err
    assert time.monotonic() - started < 5
