"""Import a past order of another system, paid and completed. It takes no stock and has any number of lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from acme.contracts.orders import OrderImported, OrderLine
from acme.identity import Actor, Role
from commands.handling import Done, requires
from commands.orders.imported import check_source, total_of
from commands.orders.models import Order
from commands.orders.sale import sale_of, save_lines
from commands.outbox.record import record


@dataclass(frozen=True, kw_only=True)
class ImportOrder:
    """Lines as events carry them, numbered from 1; each line's ``amount`` counts, not quantity × unit price."""

    source: str
    number: str
    placed_at: datetime
    lines: tuple[OrderLine, ...]
    currency: str
    customer_id: UUID | None = None
    country: str | None = None


@requires(Role.STAFF)
def import_order(command: ImportOrder, *, actor: Actor, now: datetime) -> Done:
    """Staff only. An order of that source and number that exists changes nothing (``changed`` is False)."""
    return import_orders([command], actor=actor, now=now)[0]


@requires(Role.STAFF)
def import_orders(commands: Sequence[ImportOrder], *, actor: Actor, now: datetime) -> list[Done]:
    """The same for a batch, in three statements however many orders and lines it has; one answer for each command."""
    for command in commands:
        check_source(command.source, command.number)
    done = _known(commands)
    sales: list[tuple[Order, tuple[OrderLine, ...]]] = []
    answers = []
    for command in commands:
        key = (command.source, command.number)
        if key in done:
            answers.append(replace(done[key], changed=False))
            continue
        order = _imported(command, actor, now)
        sales.append((order, command.lines))
        done[key] = Done(id=order.id, version=order.version)
        answers.append(done[key])
    Order.objects.bulk_create([order for order, _ in sales])
    save_lines(sales, shipped=True)
    return answers


def _known(commands: Sequence[ImportOrder]) -> dict[tuple[str, str], Done]:
    """(source, number) → what is there already."""
    wanted = {"source__in": {each.source for each in commands}, "number__in": {each.number for each in commands}}
    rows = Order.objects.filter(**wanted).values_list("source", "number", "id", "version")
    return {(source, number): Done(id=id_, version=version) for source, number, id_, version in rows}


def _imported(command: ImportOrder, actor: Actor, now: datetime) -> Order:
    """The order, recorded but not saved."""
    total = total_of(command.lines, command.currency)
    order = Order(
        source=command.source,
        number=command.number,
        customer_id=command.customer_id,
        country=command.country,
        status=Order.Status.COMPLETED,
        currency=command.currency,
        total_minor=total,
        paid_minor=total,
        placed_at=command.placed_at,
        created_at=now,
    )
    imported = OrderImported(**sale_of(order, list(command.lines)), source=command.source)
    record(order, imported, actor=actor, now=now, occurred_at=command.placed_at)
    return order


def known_numbers(source: str, numbers: Iterable[str]) -> set[str]:
    """Those of the numbers that are imported already as orders, in one query."""
    return set(Order.objects.filter(source=source, number__in=list(numbers)).values_list("number", flat=True))
