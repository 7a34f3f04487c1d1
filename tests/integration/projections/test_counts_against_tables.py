"""What sales count is what the state tables of orders and returns say; a handler that counts otherwise is found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection

from acme.contracts.base import Money
from acme.ports import aggregate_states, event_log, subject_keys
from commands.orders.cancel_order import CancelOrder, cancel_order
from commands.orders.items import Item
from commands.orders.models import Order, PastReturn
from commands.orders.pay_order import PayOrder, pay_order
from commands.orders.place_order import PlaceOrder, place_order
from commands.outbox.sequencer import number
from projections.registry import PROJECTIONS
from projections.runtime.projection import Count, Projection
from projections.verification.against_tables import Compared
from projections.verification.counts_against_tables import MISCOUNTED, CountsAgainstTables
from tests.integration.commands.orders.placed import confirmed, placed
from tests.integration.commands.shop import run, shopper, stocked
from tests.integration.importing import runs
from tests.integration.importing.test_import_orders import AWKWARD

COUNTING = [projection for projection in PROJECTIONS.values() if projection.counts]
SELLING = [projection for projection in COUNTING if "order" in projection.counted]
every_counting = pytest.mark.parametrize("projection", COUNTING, ids=[projection.name for projection in COUNTING])
every_selling = pytest.mark.parametrize("projection", SELLING, ids=[projection.name for projection in SELLING])


@every_counting
def test_every_counted_aggregate_has_a_second_opinion(projection: Projection) -> None:
    assert set(projection.from_state) == projection.counted


@pytest.fixture
def sales(shop_database: None, tmp_path: Path) -> int:
    """Orders in every state, imported ones of customers and without, and returns; answers how many of both."""
    stocked("A", on_hand=100)
    stocked("B", on_hand=100, price=399)
    placed(("A", 1))
    confirmed(("A", 2), ("B", 3))
    for order in (placed(("B", 1)), confirmed(("B", 5), ("A", 1))):
        run(cancel_order, CancelOrder(order_id=order.id, reason="regret"))
    runs.run("import_orders", runs.retail_file(tmp_path / "retail.csv", *AWKWARD))
    customer = next(key for key in aggregate_states().ids("customer"))
    for cancelled in (False, True):
        mine = run(place_order, PlaceOrder(lines=(Item(sku="A", quantity=3),)), shopper(customer))
        run(pay_order, PayOrder(order_id=mine.id, amount=Money(3750, "GBP")), shopper(customer))
        if cancelled:
            run(cancel_order, CancelOrder(order_id=mine.id, reason="regret"))
    numbered()
    return Order.objects.count() + PastReturn.objects.count()


def numbered() -> None:
    url = "postgresql://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**connection.settings_dict)
    with psycopg.connect(url) as link:
        number(link, 10_000)


def compared(projection: Projection, ids: Any = None) -> Compared:
    states, result = aggregate_states(), Compared()
    CountsAgainstTables(event_log(), states, subject_keys().unseal, projection).verify(ids or states.ids, result)
    return result


@every_selling
def test_what_events_count_is_what_the_tables_say(projection: Projection, sales: int) -> None:
    found = compared(projection)
    assert (found.counted, found.behind, found.differences) == (sales, 0, [])
    assert any(list(projection.from_state["order"](projection.instance, state)) for state in states_of_orders())


def states_of_orders() -> Iterable[dict[str, Any]]:
    states = aggregate_states()
    return [state for key in states.ids("order") if (state := states.state("order", key))]


@every_selling
def test_a_handler_that_counts_otherwise_is_found(projection: Projection, sales: int) -> None:
    """The mistake that a replay repeats: sales that are cancelled stay counted, or all are counted twice."""
    never_taken_away = {name: handler for name, handler in projection.counts.items() if name != "OrderCancelled"}
    ignores = projection.ignores | {"OrderCancelled"}
    wrong = compared(replace(projection, counts=never_taken_away, ignores=ignores))
    cancelled = Order.objects.filter(status="cancelled", paid_minor__gt=0)
    if projection.name == "customers":
        cancelled = cancelled.exclude(customer_id=None)
    assert {d.document for d in wrong.differences} == {str(order.id) for order in cancelled} != set()

    def twice(*arguments: Any, handler: Any = projection.counts["OrderConfirmed"]) -> Iterable[Count]:
        return [*handler(*arguments), *handler(*arguments)]

    wrong = compared(replace(projection, counts={**projection.counts, "OrderConfirmed": twice}))
    assert wrong.differences and {d.kind for d in wrong.differences} == {MISCOUNTED}
    (one, *_) = wrong.differences
    assert all(found == 2 * table for table, found in one.fields.values()), one


@every_selling
def test_events_without_a_number_are_waited_for(projection: Projection, sales: int) -> None:
    order = confirmed(("A", 1))
    found = compared(projection, lambda kind: [order.id] if kind == "order" else [])
    assert (found.counted, found.behind, found.differences) == (0, 1, [])
    numbered()
    assert compared(projection, lambda kind: [order.id] if kind == "order" else []).counted == 1


def test_an_event_that_cannot_be_counted_is_for_the_dead_letters_and_the_log_to_say(sales: int) -> None:
    def fails(*_: Any) -> Iterable[Count]:
        raise ZeroDivisionError("no price")

    projection = PROJECTIONS["sales_by_day"]
    found = compared(replace(projection, counts={**projection.counts, "OrderImported": fails}))
    assert found.differences == [] and 0 < found.counted < sales
