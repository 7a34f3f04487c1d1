"""The book for the one cause that cannot be in MongoDB: that MongoDB itself is away. It is kept in Redis.

Redis is the Celery broker's: where it is away, no check runs at all. Keys begin with ``acme:alerts:``; a claim is
redis-py's lock (SET NX PX with a token). Redis may lose them when it restarts: then the message is sent once more.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
import redis
from redis.lock import Lock

from acme.alert_settings import AlertSettings
from projections.alerting.cause import Assessment, Cause, Kind
from projections.alerting.message import Message, message_id
from projections.alerting.telling import CLAIM, OPEN, Due, Standing, due_state

PREFIX = "acme:alerts:read-store:"
KEPT = timedelta(days=7)
SOCKET_SECONDS = 3.0


def connect(url: str) -> redis.Redis:
    """Raises ValueError for a URL that is none of Redis."""
    return redis.Redis.from_url(
        url, socket_timeout=SOCKET_SECONDS, socket_connect_timeout=SOCKET_SECONDS, decode_responses=True
    )


class OutageBook:
    """Raises redis's errors."""

    def __init__(self, client: redis.Redis, settings: AlertSettings) -> None:
        self._redis, self._settings = client, settings

    def note(self, assessment: Assessment, now: datetime) -> None:
        cause = next((cause for cause in assessment.causes if cause.kind is Kind.READ_STORE), None)
        if cause is None:
            if self._redis.exists(PREFIX + "cause"):
                self._redis.set(PREFIX + "missed_at", now.isoformat(), nx=True, ex=KEPT)
            return
        self._redis.delete(PREFIX + "missed_at")
        self._redis.set(PREFIX + "opened_at", now.isoformat(), nx=True, ex=KEPT)
        self._redis.set(PREFIX + "cause", msgspec.json.encode(_words(cause)), ex=KEPT)

    def due(self, channels: tuple[str, ...], assessment: Assessment, now: datetime) -> list[Due]:
        words, standing = self._text("cause"), self._standing(channels)
        if words is None or standing is None:
            return []
        states = {channel: due_state(standing, channel, now, self._settings) for channel in channels}
        return [
            Due(channel=channel, message=self._message(msgspec.json.decode(words), channel, state, standing, now))
            for channel, state in states.items()
            if state is not None
        ]

    def _standing(self, channels: tuple[str, ...]) -> Standing | None:
        """None when there is no outage."""
        opened_at, words = self._moment("opened_at"), self._text("cause")
        if opened_at is None or words is None:
            return None
        told = {channel: self._moment(f"told:{channel}") for channel in channels}
        return Standing(
            held_since=opened_at,
            patience=msgspec.json.decode(words)["patience"],
            missed_at=self._moment("missed_at"),
            told={channel: at for channel, at in told.items() if at},
        )

    def _text(self, name: str) -> str | None:
        found = self._redis.get(PREFIX + name)
        return None if found is None else str(found)

    def _moment(self, name: str) -> datetime | None:
        text = self._text(name)
        return datetime.fromisoformat(text) if text else None

    def _message(self, words: dict[str, Any], channel: str, state: str, standing: Standing, now: datetime) -> Message:
        opened_at = standing.held_since
        number = int(self._text(f"sent:{channel}") or 0)
        shown = {name: value for name, value in words.items() if name != "patience"}
        return Message(
            **shown,
            id=message_id(self._settings.shop, words["key"], opened_at, state, number),
            state=state,
            projection="",
            opened_at=opened_at,
            at=now,
            shop=self._settings.shop,
        )

    def claim(self, due: Due, now: datetime) -> Lock | None:
        lock: Lock = self._redis.lock(PREFIX + f"claim:{due.channel}", timeout=CLAIM.total_seconds())
        if not lock.acquire(blocking=False):
            return None
        standing = self._standing((due.channel,))
        if standing is None or due_state(standing, due.channel, now, self._settings) != due.message.state:
            lock.release()
            return None
        return lock

    def sent(self, claim: Lock, due: Due, now: datetime) -> None:
        if due.message.state == OPEN:
            self._redis.set(PREFIX + f"told:{due.channel}", now.isoformat(), ex=KEPT)
        else:
            self._redis.delete(PREFIX + f"told:{due.channel}")
        self._redis.incr(PREFIX + f"sent:{due.channel}")
        self._redis.expire(PREFIX + f"sent:{due.channel}", KEPT)
        self._release(claim)

    def failed(self, claim: Lock, due: Due, now: datetime, reason: str) -> None:
        self._release(claim)

    def _release(self, claim: Lock) -> None:
        if claim.owned():
            claim.release()

    def close(self, channels: tuple[str, ...], assessment: Assessment, now: datetime) -> None:
        """Forgets an outage that is past, once nobody needs to be told and nobody is being told."""
        standing = self._standing(channels)
        if standing is None or standing.missed_at is None or standing.told:
            return
        if not any(self._redis.exists(PREFIX + f"claim:{channel}") for channel in channels):
            names = ["cause", "opened_at", "missed_at", *(f"sent:{channel}" for channel in channels)]
            self._redis.delete(*(PREFIX + name for name in names))


def _words(cause: Cause) -> dict[str, Any]:
    return {
        "key": cause.key,
        "kind": str(cause.kind),
        "severity": cause.severity,
        "summary": cause.summary,
        "details": cause.details,
        "patience": cause.patience,
    }
