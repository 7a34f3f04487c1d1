"""Import a past order of another system, paid and completed. It takes no stock and has any number of lines."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from acme.contracts.orders import OrderImported, OrderLine
from acme.identity import Actor, Role
from commands.handling import Done, requires
from commands.orders.imported import check_source, total_of
from commands.orders.models import Order
from commands.orders.models import OrderLine as LineRow
from commands.orders.sale import rows_of, sale_of
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
    """Staff only. An order of that source and number that exists changes nothing (``changed`` is False).

    Three statements per order, however many lines; importers leave out what `known_numbers` knows.
    """
    check_source(command.source, command.number)
    total = total_of(command.lines, command.currency)
    known = Order.objects.filter(source=command.source, number=command.number).values_list("id", "version").first()
    if known is not None:
        return Done(id=known[0], version=known[1], changed=False)
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
    order.save(force_insert=True)
    LineRow.objects.bulk_create(rows_of(order, command.lines, all_shipped=True))
    return Done(id=order.id, version=order.version)


def known_numbers(source: str, numbers: Iterable[str]) -> set[str]:
    """Those of the numbers that are imported already as orders, in one query."""
    return set(Order.objects.filter(source=source, number__in=list(numbers)).values_list("number", flat=True))
