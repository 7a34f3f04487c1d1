"""Whoever seemed dead wakes up, clocks are wrong, engines fail after the swap: nothing that is live is dropped."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo.errors import AutoReconnect

from acme.ports import event_log
from projections.rebuilding import plan, rebuild, swap
from projections.rebuilding.fillers import filler_of
from projections.rebuilding.resting import Resting
from projections.runtime import followers, liveness
from projections.runtime.control import NotDone
from projections.runtime.followers import Followers
from projections.runtime.runner import reached_heads
from tests.integration.projections.conftest import wait_until
from tests.integration.projections.rebuilding.conftest import PRODUCTS, Shelf, oracles

POINTERS, WORKERS = "projection_pointers", "projection_workers"


def test_what_went_live_at_the_last_moment_is_not_dropped(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rebuild was suspended, its lease is over; it wakes up between the two steps of `abandon`."""
    building = plan.begin(shelf.store, oracles().log, PRODUCTS, source="log", by="tests")
    time.sleep(plan.LEASE)
    original = plan._drop

    def woken(*args: Any) -> bool:
        with filler_of("products", building.generation, plan.all_streams(event_log(), PRODUCTS)) as filler:
            named = {"building.generation": building.generation, "building.owner": building.owner}
            swap.Swap(
                store=shelf.store, projection=PRODUCTS, old=1, new=2, named=named, change={"version": 1}, filler=filler
            ).make()
        return original(*args)

    monkeypatch.setattr(plan, "_drop", woken)
    with pytest.raises(NotDone, match="end that first"):
        plan.abandon(shelf.store, PRODUCTS)
    assert shelf.pointer["live"] == 2 and not shelf.differences()


def test_of_two_that_find_an_old_generation_one_begins_anew(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = datetime.now(UTC) - timedelta(minutes=1)
    old = {
        "generation": 2,
        "version": 0,
        "source": "log",
        "by": "x",
        "at": ended,
        "owner": "old:1",
        "lease_until": ended,
    }
    shelf.store[POINTERS].update_one({"_id": "products"}, {"$set": {"numbered": 2, "building": old}})
    original, faster = plan._drop, list[plan.Building]()

    def overtaken(*args: Any) -> bool:
        if not faster:
            monkeypatch.setattr(plan, "_drop", original)
            monkeypatch.setattr(plan, "owner", lambda: "fast:2")
            faster.append(plan.begin(shelf.store, oracles().log, PRODUCTS, source="log", by="fast"))
        return original(*args)

    monkeypatch.setattr(plan, "_drop", overtaken)
    monkeypatch.setattr(plan, "owner", lambda: "slow:1")
    monkeypatch.setattr(plan, "LEASE", 60)
    monkeypatch.setattr(plan, "_is_over", lambda store, projection, found, sleep: found["owner"] != "fast:2")
    with pytest.raises(NotDone, match="fast:2"):
        plan.begin(shelf.store, oracles().log, PRODUCTS, source="log", by="slow")
    assert shelf.pointer["building"]["generation"] == faster[0].generation == 3


def test_a_dead_owner_whose_clock_was_ahead_is_not_waited_for(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "owner", lambda: "elsewhere:1")
    plan.begin(shelf.store, oracles().log, PRODUCTS, source="log", by="x")
    tomorrow = {"building.lease_until": datetime.now(UTC) + timedelta(days=1)}
    shelf.store[POINTERS].update_one({"_id": "products"}, {"$set": tomorrow})
    monkeypatch.setattr(plan, "owner", lambda: "here:1")
    assert shelf.rebuild().resumed


def test_places_in_kafka_are_kept_by_what_is_written_after_the_swap(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoints, original = shelf.store["projection_checkpoints"], rebuild.follow_until_taken_over
    checkpoints.update_many({"generation": 1}, {"$set": {"offset": 100, "topic_identity": "T"}})

    def busy(made: swap.Swap) -> bool:
        shelf.act(12)
        return original(made)

    monkeypatch.setattr(rebuild, "follow_until_taken_over", busy)
    monkeypatch.setattr(swap, "READERS", 0)  # no workers, and no time to wait for them: filled once all the same
    shelf.rebuild()
    rows = list(checkpoints.find({"generation": 2}))
    assert {(row["offset"], row["topic_identity"]) for row in rows} == {(100, "T")}
    assert not shelf.differences()


@pytest.mark.parametrize("comes", [AutoReconnect("MongoDB was restarted"), KeyboardInterrupt()], ids=repr)
def test_what_comes_after_the_swap_does_not_undo_it(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch, comes: BaseException
) -> None:
    def broken_off(made: swap.Swap) -> bool:
        raise comes

    monkeypatch.setattr(swap, "_follow", broken_off)
    made = shelf.rebuild()
    assert (made.live, made.taken_over) == (2, False)


def test_a_worker_that_runs_once_sees_the_swap(shelf: Shelf) -> None:
    shelf.act(4)
    reached = reached_heads(shelf.store, event_log(), PRODUCTS)
    assert not reached(set())
    shelf.rebuild()
    assert reached(set())


def test_whoever_is_alive_is_waited_for_whatever_its_clock_says(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(liveness, "SILENT", 0.6)
    monkeypatch.setattr(liveness, "SILENT_WITHOUT_LEASE", 0.3)
    beats, behind = shelf.store[WORKERS], datetime.now(UTC) - timedelta(hours=2)
    row = {"_id": "x", "projection": "products", "generation": 1, "lease_until": behind, "seen_at": behind}
    beats.insert_one(row)
    looked = Resting(shelf.store, "products", 1)
    assert not looked.all_rest("a")
    for second in range(1, 5):  # a heartbeat of a clock that is two hours behind
        beats.update_one({"_id": "x"}, {"$set": {"seen_at": behind + timedelta(seconds=second)}})
        time.sleep(0.2)
        assert not looked.all_rest("a")
    beats.update_one({"_id": "x"}, {"$set": {"handing_over": "a"}})
    assert looked.all_rest("a") and not looked.all_rest("b")
    wait_until(lambda: looked.all_rest("b"), 5)  # it is dead by now
    ahead = datetime.now(UTC) + timedelta(hours=2)
    beats.insert_one({"_id": "y", "projection": "products", "generation": 1, "lease_until": ahead, "seen_at": ahead})
    assert not looked.all_rest("b")
    wait_until(lambda: looked.all_rest("b"), 5)


def test_the_generation_before_is_followed_when_no_reader_can_know_it_any_more(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(followers, "LOOK", 0.05)
    monkeypatch.setattr(followers, "READERS", 0.5)
    begun: list[tuple[float, int]] = []

    def follow(projection: Any, generation: int, over: threading.Event) -> None:
        begun.append((time.monotonic(), generation))
        over.wait(20)
        begun.append((time.monotonic(), -generation))

    stop, swapped = threading.Event(), time.monotonic()
    shelf.rebuild()
    thread = threading.Thread(target=Followers(shelf.store, [PRODUCTS], follow).run, args=(stop,))
    looked = time.monotonic()
    thread.start()
    wait_until(lambda: begun, 10)
    assert begun[0][1] == 1 and begun[0][0] - looked >= 0.5 and looked > swapped
    swap.drop_previous(shelf.store, PRODUCTS)
    wait_until(lambda: len(begun) == 2, 10)
    stop.set()
    thread.join(10)
    assert begun[1][1] == -1


def test_drop_is_guarded_by_what_was_read(shelf: Shelf) -> None:
    building = plan.begin(shelf.store, oracles().log, PRODUCTS, source="log", by="tests")
    read = shelf.pointer["building"]
    shelf.store[POINTERS].update_one({"_id": "products"}, {"$set": {"building.lease_until": datetime.now(UTC)}})
    assert not plan._drop(shelf.store, PRODUCTS, read)
    assert f"products__g{building.generation}" in shelf.collections()


def test_a_drop_that_was_broken_off_can_be_asked_for_again(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any) -> list[int]:
        raise AutoReconnect("MongoDB was restarted")

    def drop() -> list[int]:
        return swap.drop_previous(shelf.store, PRODUCTS, sleep=lambda seconds: None)

    shelf.rebuild()
    with monkeypatch.context() as patch:
        patch.setattr(swap, "sweep", away)
        with pytest.raises(AutoReconnect):
            drop()
    assert shelf.collections() == {"products__g1", "products__g2"}
    assert (drop(), shelf.collections()) == ([1], {"products__g2"})
