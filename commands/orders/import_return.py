"""Import a past return of another system; which order it belongs to is not known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

from acme.contracts.base import Money
from acme.contracts.orders import OrderLine, PastReturnImported
from acme.identity import Actor, Role
from commands.handling import Done, requires
from commands.orders.imported import check_source, total_of
from commands.orders.models import PastReturn
from commands.outbox.record import record


@dataclass(frozen=True, kw_only=True)
class ImportReturn:
    """Quantities and amounts of the lines are positive: what came back, and what it was worth."""

    source: str
    number: str
    returned_at: datetime
    lines: tuple[OrderLine, ...]
    currency: str
    customer_id: UUID | None = None
    country: str | None = None


@requires(Role.STAFF)
def import_return(command: ImportReturn, *, actor: Actor, now: datetime) -> Done:
    """Staff only. A return of that source and number that exists changes nothing (``changed`` is False)."""
    check_source(command.source, command.number)
    total = total_of(command.lines, command.currency)
    same = PastReturn.objects.filter(source=command.source, number=command.number)
    known = same.values_list("id", "version").first()
    if known is not None:
        return Done(id=known[0], version=known[1], changed=False)
    past_return = PastReturn(
        source=command.source,
        number=command.number,
        customer_id=command.customer_id,
        country=command.country,
        currency=command.currency,
        total_minor=total,
        lines=msgspec.to_builtins(command.lines),
        returned_at=command.returned_at,
        created_at=now,
    )
    imported = PastReturnImported(
        return_id=past_return.id,
        number=command.number,
        source=command.source,
        customer_id=command.customer_id,
        country=command.country,
        returned_at=command.returned_at,
        lines=list(command.lines),
        total=Money(total, command.currency),
    )
    record(past_return, imported, actor=actor, now=now, occurred_at=command.returned_at)
    past_return.save(force_insert=True)
    return Done(id=past_return.id, version=past_return.version)


def known_return_numbers(source: str, numbers: Iterable[str]) -> set[str]:
    """Those of the numbers that are imported already as returns, in one query."""
    return set(PastReturn.objects.filter(source=source, number__in=list(numbers)).values_list("number", flat=True))
