"""Idempotency-Key: a request is carried out once, however often and however concurrently it is sent.

A lease row is committed first. The answer is written to it in the transaction of the command itself, so either both
are there or neither. An error gives the row back; a crash leaves it, and when its lease is over the next request with
the key takes it over. A key is kept for `KEEP`.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
from django.db import DatabaseError, transaction

from acme.http.problems import HttpError
from acme.identity import Actor, hash_token
from commands.outbox.models import IdempotentRequest

LEASE = timedelta(seconds=60)  # longer than the web server lets a request run
KEEP = timedelta(hours=24)
PURGE_BATCH = 100  # rows deleted beside each new key
log = logging.getLogger("commands.idempotency")


@dataclass(frozen=True)
class Answer:
    """A response as it is kept: status, headers of ours, and the exact body."""

    status: int
    headers: dict[str, str]
    body: str


@dataclass(frozen=True)
class Lease:
    """The right to carry out the request; lost when another one has taken it over."""

    row: int
    token: UUID

    def keep(self, answer: Answer) -> None:
        """Writes the answer; called inside the command's transaction, which must not commit if the lease was lost."""
        mine = IdempotentRequest.objects.filter(pk=self.row, lease=self.token, status=None)
        if not mine.update(status=answer.status, headers=answer.headers, body=answer.body):
            raise _still_running()

    def release(self) -> None:
        """Gives the key back after an error, so that the same request may be tried again."""
        try:
            IdempotentRequest.objects.filter(pk=self.row, lease=self.token, status=None).delete()
        except DatabaseError:
            log.warning("an idempotency lease could not be released and will run out", exc_info=True)


def scope_of(actor: Actor) -> str:
    """Whose keys these are: a user's, a guest token's, or those of guests without one."""
    if actor.user_id is not None:
        return f"user:{actor.user_id}"
    return f"guest:{hash_token(actor.guest_token)}" if actor.guest_token else "guest"


def fingerprint(method: str, path: str, body: Any) -> str:
    """What makes two requests the same: method, path and content, not the order of members or white space."""
    return hashlib.sha256(msgspec.json.encode([method, path, body], order="deterministic")).hexdigest()


def once(scope: str, key: str, print_: str, carry_out: Callable[[Lease], Answer]) -> tuple[Answer, bool]:
    """What ``carry_out`` answers, or the kept answer of the same request and True.

    ``carry_out`` must call `Lease.keep` inside its transaction. Raises `HttpError`: 422 when the key was used for
    another request, 409 with Retry-After while the same one is running.
    """
    lease = _acquire(scope, key, print_)
    if isinstance(lease, Answer):
        return lease, True
    try:
        return carry_out(lease), False
    except BaseException:
        lease.release()
        raise


def _acquire(scope: str, key: str, print_: str) -> Lease | Answer:
    now = datetime.now(UTC)
    purge(now)
    lease = uuid4()
    # Another request may give the same key back between our insert and our look: then the insert is tried again.
    for _ in range(3):
        row = IdempotentRequest(
            actor=scope, key=key, fingerprint=print_, lease=lease, lease_until=now + LEASE, created_at=now
        )
        IdempotentRequest.objects.bulk_create([row], ignore_conflicts=True)
        with transaction.atomic():
            found = IdempotentRequest.objects.select_for_update().filter(actor=scope, key=key).first()
            decided = None if found is None else _decide(found, lease, print_, now)
        if decided is not None:
            return decided
        if found is not None:
            break
    raise _still_running()


def _decide(found: IdempotentRequest, lease: UUID, print_: str, now: datetime) -> Lease | Answer | None:
    """What the locked row means for us; None: the same request is running."""
    if found.lease == lease:
        return Lease(found.pk, lease)
    if found.created_at > now - KEEP:
        if found.fingerprint != print_:
            raise _used_otherwise()
        if found.status is not None:
            return Answer(found.status, found.headers, found.body)
        if found.lease_until > now:
            _shorten(found, now)
            return None
    found.lease, found.lease_until, found.created_at = lease, now + LEASE, now
    found.fingerprint, found.status, found.headers, found.body = print_, None, None, None
    found.save()
    return Lease(found.pk, lease)


def _shorten(found: IdempotentRequest, now: datetime) -> None:
    """A lease that ends later than one given now is from a server whose clock is ahead: it is over in `LEASE`."""
    if found.lease_until > now + LEASE:
        IdempotentRequest.objects.filter(pk=found.pk).update(lease_until=now + LEASE)


def purge(now: datetime) -> int:
    """Deletes a batch of keys older than `KEEP`; answers how many."""
    with transaction.atomic():
        old = IdempotentRequest.objects.filter(created_at__lt=now - KEEP).order_by("created_at")
        ids = list(old.select_for_update(skip_locked=True).values_list("pk", flat=True)[:PURGE_BATCH])
        return IdempotentRequest.objects.filter(pk__in=ids).delete()[0] if ids else 0


def _still_running() -> HttpError:
    return HttpError(
        409,
        "idempotency-key-in-use",
        "The same request is being carried out at the moment.",
        errors=[{"header": "Idempotency-Key", "detail": "still running", "code": "idempotency-key-in-use"}],
        headers={"Retry-After": "1"},
    )


def _used_otherwise() -> HttpError:
    detail = "The key was used for another request; every request needs a key of its own."
    return HttpError(
        422,
        "idempotency-key-reused",
        detail,
        errors=[{"header": "Idempotency-Key", "detail": detail, "code": "idempotency-key-reused"}],
    )
