"""What follows from an order's amounts and quantities, and is therefore never set."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class PaymentStatus(StrEnum):
    NONE = "none"
    PARTIAL = "partial"
    FULL = "full"


class FulfilmentStatus(StrEnum):
    UNFULFILLED = "unfulfilled"
    PARTIAL = "partial"
    FULFILLED = "fulfilled"


def payment_status(*, paid_minor: int, total_minor: int) -> PaymentStatus:
    """How much of the total is paid; an order that costs nothing is fully paid."""
    if paid_minor >= total_minor:
        return PaymentStatus.FULL
    return PaymentStatus.PARTIAL if paid_minor else PaymentStatus.NONE


def fulfilment_status(lines: Iterable[tuple[int, int]]) -> FulfilmentStatus:
    """How much has been shipped, from (ordered, shipped) pieces of each line."""
    ordered, shipped = (sum(pieces) for pieces in zip(*lines, strict=True))
    if shipped >= ordered:
        return FulfilmentStatus.FULFILLED
    return FulfilmentStatus.PARTIAL if shipped else FulfilmentStatus.UNFULFILLED
