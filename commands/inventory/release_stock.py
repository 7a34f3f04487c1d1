"""Give back all that is still held for an order; a step of cancelling it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from acme.contracts.inventory import ReservationReleased
from acme.identity import Actor
from commands.handling import Done
from commands.inventory.items import lock_items
from commands.inventory.models import Reservation
from commands.inventory.movements import Movements


@dataclass(frozen=True, kw_only=True)
class ReleaseStock:
    order_id: UUID


def release_stock(command: ReleaseStock, *, actor: Actor, now: datetime) -> Done:
    """Internal. Nothing is held: nothing is done."""
    reservations = Reservation.objects.filter(order_id=command.order_id)
    items = lock_items(reservations.values_list("item__variant_id", flat=True))
    held = dict(reservations.values_list("item__variant_id", "quantity"))  # as it is now that the items are locked
    movements = Movements(actor, now)
    for variant_id, quantity in held.items():
        movements.move(
            items[variant_id],
            ReservationReleased,
            reserved=-quantity,
            note=f"order {command.order_id}",
            quantity=quantity,
            members={"quantity": quantity, "order_id": command.order_id},
        )
    movements.save()
    reservations.delete()
    return Done(id=command.order_id, version=0, changed=bool(held))
