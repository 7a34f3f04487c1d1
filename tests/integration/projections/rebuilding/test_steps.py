"""A rebuild step by step, in one process: killed at every write, taken up, refused, taken back."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo.collection import Collection
from pymongo.database import Database

from acme.contracts.catalog import ProductCreated
from commands.outbox.models import LogEpoch
from projections.rebuilding import plan, rebuild, swap
from projections.rebuilding.fill import Filler
from projections.registry import PROJECTIONS
from projections.runtime import control
from projections.runtime.control import NotDone, read_orders
from projections.runtime.generations import rebuild_due
from projections.runtime.instructions import Handover
from projections.runtime.intake import EpochChanged
from queries.reading import find_by_ids
from tests.integration.projections.rebuilding.conftest import PRODUCTS, Shelf, oracles
from tests.integration.projections.test_stopped import poisoned


class Killed(SystemExit):  # in a thread it says nothing
    """The process is gone: nothing that it would have written afterwards is written."""


class Death:
    """Ends this process, and the thread that renews its lease, at its n-th write; a failing ``finally`` included.

    Indexes that are made and rows that are deleted do not count: there are many of them, all harmless to repeat.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._left, self._lock = 0, threading.RLock()
        for name in ("bulk_write", "update_many", "update_one", "drop"):
            monkeypatch.setattr(Collection, name, self._dying(getattr(Collection, name)))

    def at(self, write: int) -> None:
        """0: never again."""
        self._left = write

    @property
    def is_dead(self) -> bool:
        return self._left < 0

    def _dying(self, original: Any) -> Any:
        def write(collection: Collection[Any], *args: Any, **kwargs: Any) -> Any:
            with self._lock:
                if self._left < 0:
                    raise Killed
                if self._left == 1:
                    self._left = -1
                    raise Killed
                self._left = max(0, self._left - 1)
            return original(collection, *args, **kwargs)

        return write


class Sight:
    """What a reader has seen: versions never go back, and nothing that was there is away."""

    def __init__(self, shelf: Shelf) -> None:
        self._ids = [str(key) for key, _ in shelf.products]
        self._seen: dict[str, int] = {}
        self.look()

    def look(self) -> None:
        found = find_by_ids("products", self._ids)
        for key in self._ids:
            version = found[key]["product"]["version"]
            assert version >= self._seen.get(key, 1), f"{key}: {version} after {self._seen[key]}"
            self._seen[key] = version


def test_killed_at_every_write_it_is_gone_on_with(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch, fresh_pointers: None
) -> None:
    death, sight, write = Death(monkeypatch), Sight(shelf), 0
    while True:
        write += 1
        death.at(write)
        try:
            shelf.rebuild()
        except Killed:
            pass
        was_dead = death.is_dead
        death.at(0)
        sight.look()
        shelf.act(1)
        shelf.live()
        sight.look()
        if not was_dead:
            break
        time.sleep(plan.LEASE)
        if "building" in shelf.pointer:
            made = shelf.rebuild()
            assert made.resumed and not shelf.differences(made.live)
        assert "building" not in shelf.pointer and "handing_over" not in shelf.pointer
        sight.look()
        assert not shelf.differences()
    assert write > 9, write
    assert len(shelf.collections()) == 2


def test_a_swap_that_does_not_compare_shows_something_older(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch, fresh_pointers: None
) -> None:
    """The seeded defect: the new generation is not brought to where the live one is."""
    sight, note = Sight(shelf), swap.Swap._note

    def note_and_go_on(self: swap.Swap, key: str) -> None:
        note(self, key)
        shelf.act(8)
        shelf.live()
        sight.look()

    monkeypatch.setattr(swap.Swap, "_note", note_and_go_on)
    shelf.rebuild()
    sight.look()  # as it should be
    monkeypatch.setattr(Filler, "fill", lambda self, heads=None, fill=Filler.fill: _first_only(self, fill))
    with pytest.raises(NotDone, match="the log ends at"):
        shelf.rebuild()
    monkeypatch.setattr(swap, "at_or_past", lambda new, live, heads: True)
    time.sleep(plan.LEASE)
    shelf.rebuild()
    with pytest.raises(AssertionError, match="after"):
        sight.look()


def _first_only(filler: Filler, fill: Any) -> Any:
    """Fills once, and never again."""
    if getattr(filler, "filled", False):
        return 0
    filler.filled = True  # type: ignore[attr-defined]
    return fill(filler)


def test_one_at_a_time_and_whoever_died_is_waited_for(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "owner", lambda: "elsewhere:1")
    building = plan.begin(shelf.store, oracles().log, PRODUCTS, source="log", by="somebody")
    with plan.leased(shelf.store, PRODUCTS, building):
        monkeypatch.setattr(plan, "owner", lambda: "here:2")
        with pytest.raises(NotDone, match=r"elsewhere:1 \(asked by somebody\)"):
            shelf.rebuild()
        with pytest.raises(NotDone, match="end that first"):
            plan.abandon(shelf.store, PRODUCTS)
    made = shelf.rebuild()
    assert (made.resumed, made.live) == (True, building.generation)


def test_a_rebuild_that_was_taken_over_does_not_swap(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    original = swap.Swap._note

    def robbed(self: swap.Swap, key: str) -> None:
        shelf.store["projection_pointers"].update_one({"_id": "products"}, {"$set": {"building.owner": "elsewhere:1"}})
        original(self, key)

    monkeypatch.setattr(swap.Swap, "_note", robbed)
    with pytest.raises(NotDone, match="switched to another generation"):
        shelf.rebuild()
    assert shelf.pointer["live"] == 1


def test_an_unfinished_one_can_be_given_up(shelf: Shelf) -> None:
    with pytest.raises(NotDone, match="no unfinished"):
        plan.abandon(shelf.store, PRODUCTS)
    building = plan.begin(shelf.store, oracles().log, PRODUCTS, source="log", by="tests")
    assert shelf.collections() == {"products__g1", f"products__g{building.generation}"}
    time.sleep(plan.LEASE)
    assert plan.abandon(shelf.store, PRODUCTS) == building.generation
    assert shelf.collections() == {"products__g1"}
    assert shelf.rebuild().live > building.generation  # a number is never used twice


def test_a_damaged_live_generation_wants_an_operator(shelf: Shelf) -> None:
    victim = str(shelf.products[0][0])
    shelf.store["products__g1"].update_one({"_id": victim}, {"$set": {"product.name": "somebody was here"}})
    with pytest.raises(rebuild.Objected, match="1 documents differ from the live generation") as objected:
        shelf.rebuild()
    assert [d.document for d in objected.value.parity.old] == [victim]
    assert shelf.pointer["live"] == 1
    assert shelf.rebuild(accept=True).resumed
    assert not shelf.differences()


def test_a_wrong_new_generation_never_goes_live(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    original = rebuild.compare

    def damaged(store: Database[Any], *args: Any, **kwargs: Any) -> Any:
        store["products__g2"].update_one({"_id": str(shelf.products[0][0])}, {"$set": {"product.slug": "x"}})
        return original(store, *args, **kwargs)

    monkeypatch.setattr(rebuild, "compare", damaged)
    with pytest.raises(rebuild.Objected, match="differs from log or state tables in 2 places"):
        shelf.rebuild(accept=True)
    assert shelf.pointer["live"] == 1


def test_a_changed_version_is_due_listed_and_taken_back(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    def louder(instance: Any, section: dict[str, Any], event: ProductCreated, at: Any) -> None:
        PRODUCTS.on["ProductCreated"](instance, section, event, at)
        section["brand"] = "LOUD"

    changed = replace(PRODUCTS, version=PRODUCTS.version + 1, on={**PRODUCTS.on, "ProductCreated": louder})
    monkeypatch.setitem(PROJECTIONS, "products", changed)
    assert rebuild_due(shelf.store, changed)
    with pytest.raises(rebuild.Objected, match="state tables"):
        shelf.rebuild(changed)  # the tables know no such brand: a mistake that a replay would repeat
    monkeypatch.setattr(rebuild, "compare", _without_tables(monkeypatch))
    made = shelf.rebuild(changed)
    assert made.parity is not None and len(made.parity.old) == 4 and "became" in made.parity.reason
    assert not rebuild_due(shelf.store, changed)
    shelf.roll_back()
    assert rebuild_due(shelf.store, changed) and shelf.pointer["live"] == 1


def _without_tables(monkeypatch: pytest.MonkeyPatch) -> Any:
    sections = {name: replace(section, mirrors_state=False) for name, section in PRODUCTS.sections.items()}

    def compare(store: Any, given: Any, projection: Any, *args: Any, **kwargs: Any) -> Any:
        return original(store, given, replace(projection, sections=sections), *args, **kwargs)

    original = rebuild.compare
    return compare


def test_what_today_s_code_parks_wants_an_operator(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    victim = f"product:{shelf.products[0][0]}"
    sick = poisoned(PRODUCTS, {victim})
    monkeypatch.setitem(PROJECTIONS, "products", sick)
    with pytest.raises(rebuild.Objected, match="1 aggregates are parked") as objected:
        shelf.rebuild(sick)
    assert objected.value.parity.newly_parked == (victim,)


def test_after_a_new_epoch_only_a_rebuild_helps(shelf: Shelf) -> None:
    LogEpoch.objects.create(epoch=2, started_at=datetime.now(UTC))
    made = shelf.rebuild()
    assert (made.followed, "following" in shelf.pointer) == (False, False)
    with pytest.raises(NotDone, match="older log epoch"):
        shelf.roll_back()
    shelf.act(3)
    shelf.live()
    assert not shelf.differences()
    with pytest.raises(EpochChanged):
        shelf.roll_back()


def test_a_rebuild_begun_in_an_older_epoch_is_begun_anew(shelf: Shelf) -> None:
    building = plan.begin(shelf.store, oracles().log, PRODUCTS, source="log", by="tests")
    with rebuild.filler_of("products", building.generation, plan.all_streams(oracles().log, PRODUCTS)) as filler:
        filler.fill()
    LogEpoch.objects.create(epoch=2, started_at=datetime.now(UTC))
    made = shelf.rebuild()
    assert made.live > building.generation and not shelf.differences()


def test_back_and_forth_and_only_two_are_kept(shelf: Shelf) -> None:
    assert shelf.rebuild().live == 2
    shelf.act(4)
    shelf.live()
    assert (shelf.roll_back().live, shelf.differences()) == (1, [])
    assert (shelf.roll_back().live, shelf.differences()) == (2, [])
    assert shelf.rebuild().live == 3
    assert shelf.collections() == {"products__g2", "products__g3"}
    assert swap.drop_previous(shelf.store, PRODUCTS, sleep=lambda seconds: None) == [2]
    for nothing in (shelf.roll_back, lambda: swap.drop_previous(shelf.store, PRODUCTS)):
        with pytest.raises(NotDone, match="no generation before"):
            nothing()


def test_a_reset_amid_a_rebuild_keeps_both(shelf: Shelf) -> None:
    building = plan.begin(shelf.store, oracles().log, PRODUCTS, source="log", by="tests")
    assert control.reset(shelf.store, PRODUCTS, by="tests") == building.generation + 1
    assert control.reset(shelf.store, PRODUCTS, by="tests") == building.generation + 2
    assert shelf.collections() == {f"products__g{number}" for number in (2, 3, 4)}
    shelf.live()
    made = shelf.rebuild()
    assert (made.live, made.previous, shelf.differences()) == (2, 4, [])


def test_a_rollback_keeps_an_unfinished_rebuild(shelf: Shelf) -> None:
    assert shelf.rebuild().live == 2
    building = plan.begin(shelf.store, oracles().log, PRODUCTS, source="log", by="tests")
    assert (shelf.roll_back().live, building.generation) == (1, 3)
    assert shelf.pointer["building"]["generation"] == 3 and "products__g3" in shelf.collections()
    made = shelf.rebuild()
    assert (made.live, made.previous, made.resumed, shelf.differences()) == (3, 1, True, [])
    assert "building" not in shelf.pointer


def test_a_rollback_shows_no_aggregate_as_it_was(shelf: Shelf) -> None:
    """The generation before has parked one since; readers of the live one see it up to date."""
    shelf.rebuild()
    product = str(shelf.products[0][0])
    place = shelf.store["projection_checkpoints"].find_one({"generation": 1, "sequence": {"$gte": 1}})
    assert place is not None
    name = f"product:{product}@{place['sequence'] + 1}"
    shelf.store["projection_checkpoints"].update_one({"_id": place["_id"]}, {"$set": {"stopped": [name]}})
    with pytest.raises(NotDone, match="generation 1 has parked aggregates"):
        shelf.roll_back()
    assert shelf.pointer["live"] == 2
    assert shelf.roll_back(accept=True).live == 1


def test_a_worker_rests_for_a_while_and_then_takes_the_note_away(shelf: Shelf) -> None:
    handover, pointers = Handover(shelf.store, "products", 0.3), shelf.store["projection_pointers"]
    assert handover.rests_for(read_orders(shelf.store, "products")) == ""
    pointers.update_one({"_id": "products"}, {"$set": {"handing_over": {"id": "a", "to": 2}}})
    assert handover.rests_for(read_orders(shelf.store, "products")) == "a"
    time.sleep(0.3)
    assert handover.rests_for(read_orders(shelf.store, "products")) == ""
    assert "handing_over" not in shelf.pointer


def test_workers_that_do_not_rest_keep_the_live_generation(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(swap, "PATIENCE", 0.2)
    lease = datetime.now(UTC) + timedelta(minutes=1)
    row = {"_id": "x", "projection": "products", "generation": 1, "lease_until": lease, "partitions": []}
    shelf.store["projection_workers"].insert_one(row)
    with pytest.raises(NotDone, match="could not be brought to rest"):
        shelf.rebuild()
    assert shelf.pointer["live"] == 1 and "handing_over" not in shelf.pointer
    shelf.store["projection_workers"].delete_one({"_id": "x"})
    assert shelf.rebuild().resumed
