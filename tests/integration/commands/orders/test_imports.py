"""Importing past orders and returns: paid and completed, at their own date, once, without stock."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

import msgspec
import pytest

from acme.contracts.base import Money
from acme.contracts.orders import OrderImported, OrderLine, PastReturnImported
from acme.errors import Conflict, Forbidden, Invalid, NotAuthenticated
from acme.identity import Actor
from commands.handling import unit_of_work
from commands.orders.import_order import ImportOrder, import_order, import_orders, known_numbers
from commands.orders.import_return import ImportReturn, import_return, known_return_numbers
from commands.orders.models import Order, PastReturn
from commands.orders.models import OrderLine as OrderLineRow
from commands.outbox.models import DomainEvent
from tests.integration.commands.shop import NOBODY, NOW, SHOP, STAFF, STRANGER, events_of, everything, refused, run

pytestmark = pytest.mark.django_db
THEN = datetime(2010, 12, 1, 8, 26, tzinfo=UTC)
SOURCE = "online-retail"


def line(number: int, quantity: int = 6, amount: int = 1530, currency: str = "GBP") -> OrderLine:
    return OrderLine(
        line=number,
        product_id=UUID(int=number),
        variant_id=UUID(int=number),
        sku="85123A",
        name="WHITE HANGING HEART T-LIGHT HOLDER",
        category_id=None,
        quantity=quantity,
        unit_price=Money(255, currency),
        amount=Money(amount, currency),
    )


def past_order(number: str = "536365", *, lines: int = 2) -> ImportOrder:
    return ImportOrder(
        source=SOURCE,
        number=number,
        placed_at=THEN,
        lines=tuple(line(each) for each in range(1, lines + 1)),
        currency="GBP",
        country="GB",
    )


def past_return(number: str = "C536379") -> ImportReturn:
    return ImportReturn(
        source=SOURCE, number=number, returned_at=THEN, lines=(line(1, 1, 2750),), currency="GBP", customer_id=uuid4()
    )


def test_an_order_is_paid_completed_and_at_its_date() -> None:
    command = past_order()
    done = run(import_order, command, STAFF)
    order = Order.objects.get(id=done.id)
    assert (order.status, order.total_minor, order.paid_minor, order.version) == ("completed", 3060, 3060, 1)
    assert (order.placed_at, order.created_at) == (THEN, NOW)
    assert list(order.lines.values_list("line", "quantity", "shipped", "amount_minor")) == [
        (1, 6, 6, 1530),
        (2, 6, 6, 1530),
    ]
    assert events_of(done.id) == [
        OrderImported(
            order_id=done.id,
            number="536365",
            customer_id=None,
            country="GB",
            placed_at=THEN,
            lines=list(command.lines),
            total=Money(3060, "GBP"),
            source=SOURCE,
        )
    ]
    assert set(DomainEvent.objects.values_list("event_type", "occurred_at")) == {("OrderImported", THEN)}


def test_a_return_likewise() -> None:
    command = past_return()
    done = run(import_return, command, STAFF)
    kept = PastReturn.objects.get(id=done.id)
    assert (kept.total_minor, kept.returned_at, kept.version) == (2750, THEN, 1)
    assert msgspec.convert(kept.lines, list[OrderLine]) == list(command.lines)
    assert events_of(done.id) == [
        PastReturnImported(
            return_id=done.id,
            number="C536379",
            source=SOURCE,
            customer_id=command.customer_id,
            country=None,
            returned_at=THEN,
            lines=list(command.lines),
            total=Money(2750, "GBP"),
        )
    ]
    assert DomainEvent.objects.get().occurred_at == THEN


def test_a_second_time_changes_nothing() -> None:
    first = run(import_order, past_order()), run(import_return, past_return())
    before = everything()
    again = run(import_order, past_order(lines=1)), run(import_return, past_return())
    assert [(done.id, done.version, done.changed) for done in again] == [(done.id, 1, False) for done in first]
    assert everything() == before


def test_known_numbers_answers_those_that_are_there() -> None:
    run(import_order, past_order()), run(import_return, past_return())
    assert known_numbers(SOURCE, ["536365", "536366"]) == {"536365"}
    assert known_numbers("elsewhere", ["536365"]) == set()
    assert known_return_numbers(SOURCE, ["536365", "C536379"]) == {"C536379"}


def test_many_in_one_transaction_with_more_lines_than_a_placed_order_may_have() -> None:
    with unit_of_work() as unit:
        for number in range(5):
            import_order(past_order(str(number), lines=1114), actor=SHOP, now=NOW)
    assert (Order.objects.count(), len(unit.written)) == (5, 5)
    assert Order.objects.get(number="4").lines.count() == 1114


def test_a_batch_answers_each_command_and_knows_what_it_has_just_imported() -> None:
    old = run(import_order, past_order("1"))
    with unit_of_work() as unit:
        done = import_orders([past_order(number) for number in ("1", "2", "2", "3")], actor=SHOP, now=NOW)
    assert [each.changed for each in done] == [False, True, False, True]
    assert done[0].id == old.id and done[1].id == done[2].id
    assert (Order.objects.count(), OrderLineRow.objects.count(), len(unit.written)) == (3, 6, 2)


def test_a_broken_rule_of_the_database_is_a_conflict() -> None:
    twice = replace(past_order(), lines=(line(1), line(1)))
    with refused(Conflict, code="constraint-violated"):
        run(import_order, twice)


@pytest.mark.parametrize(("actor", "kind"), [(STRANGER, Forbidden), (NOBODY, NotAuthenticated)])
def test_staff_only(actor: Actor, kind: type) -> None:
    with refused(kind):
        run(import_order, past_order(), actor)
    with refused(kind):
        run(import_return, past_return(), actor)


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"lines": ()}, "/lines"),
        ({"lines": (line(1, quantity=0),)}, "/lines/0/quantity"),
        ({"lines": (line(1), line(2, amount=-1))}, "/lines/1/amount"),
        ({"lines": (line(1, currency="EUR"),)}, "/lines/0/amount"),
        ({"source": ""}, "/source"),
        ({"number": "x" * 41}, "/number"),
    ],
)
def test_wrong_input(changes: dict, pointer: str) -> None:
    with refused(Invalid, pointer=pointer):
        run(import_order, replace(past_order(), **changes))
    with refused(Invalid, pointer=pointer):
        run(import_return, replace(past_return(), **changes))
