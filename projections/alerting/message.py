"""One message about one cause, as every channel sends it."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from acme.contracts.envelope import time_text

NAMESPACE = uuid5(NAMESPACE_URL, "acme:alerts")


@dataclass(frozen=True, kw_only=True)
class Message:
    """``id`` is the same whenever this message is sent again, so a receiver drops doubles by it.

    ``state``: open, or over. ``at`` is when the check found it due.
    """

    id: str
    key: str
    kind: str
    state: str
    severity: str
    summary: str
    details: str
    projection: str
    opened_at: datetime
    at: datetime
    shop: str

    @property
    def thread(self) -> str:
        """The same for all messages about one occurrence of the cause."""
        return str(uuid5(NAMESPACE, f"{self.shop}|{self.key}|{time_text(self.opened_at)}"))

    def body(self) -> dict[str, Any]:
        """JSON-ready; times are RFC 3339, ``projection`` is null where the cause is not of one."""
        times = {"opened_at": time_text(self.opened_at), "at": time_text(self.at)}
        return {**asdict(self), **times, "projection": self.projection or None}


def message_id(shop: str, key: str, opened_at: datetime, state: str, number: int) -> str:
    """``number``: how many messages about this cause the channel has had before."""
    return str(uuid5(NAMESPACE, f"{shop}|{key}|{time_text(opened_at)}|{state}|{number}"))


def signature(secret: str, seconds: int, body: bytes) -> str:
    """The value of ``Acme-Signature``: HMAC-SHA256 of the time, a dot and the body's bytes as they travel."""
    signed = hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={signed}"
