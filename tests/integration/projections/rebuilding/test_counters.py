"""Verification and rebuild of counters: a handler that counts otherwise than the tables is told and never goes live;
what is parked is no such thing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from acme.contracts.orders import OrderConfirmed
from projections.cli import verify as cli
from projections.rebuilding import rebuild
from projections.rebuilding.fillers import filler_of
from projections.rebuilding.plan import abandon, all_streams
from projections.registry import PROJECTIONS
from projections.runtime.generations import open_live
from projections.runtime.projection import Count, Projection
from projections.verification.counts_against_tables import MISCOUNTED
from projections.verification.record import remember, to_look_at
from projections.verification.verify import verify
from tests.integration.commands.orders.placed import confirmed
from tests.integration.projections.rebuilding.conftest import Shelf, oracles
from tests.integration.projections.test_stopped import poisoned

NAME = "sales_by_day"
SALES = PROJECTIONS[NAME]


def filled(shelf: Shelf, projection: Projection) -> None:
    """The live generation is up to date."""
    generation = open_live(shelf.store, projection)
    with filler_of(NAME, generation, all_streams(oracles().log, projection)) as filler:
        filler.fill()


@pytest.fixture
def orders(shelf: Shelf) -> list[str]:
    """Confirmed orders that the live generation has counted."""
    made = [str(confirmed((sku, 1)).id) for _, sku in shelf.products]
    shelf.act(0)
    filled(shelf, SALES)
    return made


def twice() -> Projection:
    def handler(*arguments: Any) -> Iterable[Count]:
        return [*SALES.counts["OrderConfirmed"](*arguments), *SALES.counts["OrderConfirmed"](*arguments)]

    return replace(SALES, counts={**SALES.counts, "OrderConfirmed": handler}, version=SALES.version + 1)


def test_a_miscount_is_found_by_a_whole_verification_and_by_samples(shelf: Shelf, orders: list[str]) -> None:
    right = verify(shelf.store, oracles(), SALES)
    assert (right.tables.counted, right.differences) == (len(orders), [])
    wrong = verify(shelf.store, oracles(), twice())
    assert {d.document for oracle, d in wrong.differences if oracle == "tables"} == set(orders)
    assert {d.kind for d in wrong.tables.differences} == {MISCOUNTED} and wrong.aggregates == []
    remember(shelf.store, wrong, by="tests")
    some = verify(shelf.store, oracles(), twice(), sample=1, also=to_look_at(shelf.store, NAME))
    assert {d.document for d in some.tables.differences} == set(orders), "a sample does not forget"


def test_a_generation_that_miscounts_never_goes_live(
    shelf: Shelf, orders: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PROJECTIONS, NAME, twice())
    for accept in (False, True):
        with pytest.raises(rebuild.Objected, match=f"differs from log or state tables in {len(orders)} places"):
            shelf.rebuild(twice(), accept=accept)
    abandon(shelf.store, SALES)
    monkeypatch.setitem(PROJECTIONS, NAME, SALES)
    assert shelf.rebuild(SALES).parity.new.tables.counted == len(orders)  # type: ignore[union-attr]


def test_a_parked_order_is_an_operators_to_accept(
    shelf: Shelf, orders: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = poisoned(SALES, {f"order:{orders[0]}"})
    assert OrderConfirmed.__name__ in bad.counts
    monkeypatch.setitem(PROJECTIONS, NAME, bad)
    with pytest.raises(rebuild.Objected, match="1 aggregates are parked") as objected:
        shelf.rebuild(bad)
    assert objected.value.parity.objections == []
    made = shelf.rebuild(bad, accept=True)
    found = verify(shelf.store, oracles(), bad, generation=made.live)
    assert (found.tables.counted, found.tables.differences) == (len(orders) - 1, [])


def test_repairing_something_else_forgets_no_miscount(
    shelf: Shelf, orders: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`projector verify --repair`: what no resync mends is still told, and remembered for the alert."""
    wrong = verify(shelf.store, oracles(), twice())
    wrong.log.differences.clear()
    asked: list[str] = []
    monkeypatch.setattr(cli, "_one", lambda *_, **__: verify(shelf.store, oracles(), SALES, only={"x"}))
    monkeypatch.setattr(cli, "follow", lambda *_: asked.append("resync"))
    again = cli._repaired(shelf.store, oracles(), wrong, {"by": "tests"}, None)  # type: ignore[arg-type]
    assert asked == [] and {d.document for _, d in again.differences} == set(orders)
