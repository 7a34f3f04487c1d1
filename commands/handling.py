"""How a command is carried out: one transaction, its events recorded in it, retried when PostgreSQL asks for it.

A handler is a plain function ``handler(command, *, actor, now) -> Done``. It locks its aggregate (`lock`), checks the
rules, changes state, records events (`commands.outbox.record`) and saves. `execute` runs one handler in its own
transaction; `unit_of_work` lets importers run many in one.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from django.db import IntegrityError, OperationalError, transaction
from tenacity import RetryError, Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from acme.errors import Busy, Conflict, Forbidden, NotAuthenticated, NotFound, ShopError, StaleVersion
from acme.identity import Actor, Role
from acme.metrics import COMMAND_SECONDS, COMMANDS
from acme.token import Written
from commands.aggregate import Aggregate
from commands.outbox.log import insert_events
from commands.outbox.models import DomainEvent
from commands.outbox.wake import wake_publisher

P = ParamSpec("P")
R = TypeVar("R")
A = TypeVar("A", bound=Aggregate)

#: SQLSTATEs after which the same transaction may succeed: serialization_failure, deadlock_detected.
RETRYABLE = {"40001", "40P01"}
ATTEMPTS = 5


@dataclass(frozen=True, kw_only=True)
class Done:
    """What a handler answers: the aggregate it was about, its version now, and what else the caller should know.

    ``changed`` is False when the command found nothing to do (a second import of the same order).
    """

    id: UUID
    version: int
    result: dict[str, Any] = field(default_factory=dict)
    changed: bool = True


@dataclass
class UnitOfWork:
    """The events recorded in the transaction so far, written to the log just before it commits."""

    events: list[DomainEvent] = field(default_factory=list)

    @property
    def written(self) -> list[Written]:
        """Aggregates at the versions they were given, for the consistency token."""
        return [Written(e.aggregate_type, e.aggregate_id, e.aggregate_version) for e in self.events]


_current: ContextVar[UnitOfWork | None] = ContextVar("unit_of_work", default=None)


def current_unit() -> UnitOfWork:
    """The open unit of work. Raises RuntimeError outside of one: no event may be recorded without its transaction."""
    unit = _current.get()
    if unit is None:
        raise RuntimeError("no unit of work is open: call handlers through commands.handling.execute")
    return unit


@contextmanager
def unit_of_work() -> Iterator[UnitOfWork]:
    """One transaction. Its events are inserted at the end, and the publisher is woken after commit."""
    with transaction.atomic():
        unit = UnitOfWork()
        token = _current.set(unit)
        try:
            yield unit
        finally:
            _current.reset(token)
        if unit.events:
            insert_events(unit.events)
            transaction.on_commit(wake_publisher)


def execute(
    handler: Callable[..., Done],
    command: Any,
    *,
    actor: Actor,
    now: datetime | None = None,
    finish: Callable[[Done, UnitOfWork], None] | None = None,
) -> tuple[Done, list[Written]]:
    """Runs a handler in its own transaction; answers what it did and which aggregate versions it wrote.

    ``finish`` runs inside the transaction after the handler (the answer to an idempotent request is kept there).
    Raises `acme.errors.ShopError`: from the handler, `Conflict` for a violated constraint, `Busy` after the retries.
    """

    def attempt() -> tuple[Done, list[Written]]:
        with unit_of_work() as unit:
            done = handler(command, actor=actor, now=now or datetime.now(UTC))
            if finish is not None:
                finish(done, unit)
        return done, unit.written

    started, outcome = time.perf_counter(), "failed"
    try:
        done, written = retrying(attempt)
        outcome = "done" if done.changed else "unchanged"
        return done, written
    except ShopError as error:
        outcome = _outcome(error)
        raise
    finally:
        name = type(command).__name__
        COMMANDS.labels(name, outcome).inc()
        COMMAND_SECONDS.labels(name).observe(time.perf_counter() - started)


def _outcome(error: ShopError) -> str:
    if isinstance(error, Busy):
        return "busy"
    return "conflict" if isinstance(error, Conflict | StaleVersion) else "refused"


def retrying(attempt: Callable[[], R]) -> R:
    """Runs a whole transaction, again after a serialization failure or deadlock, a few times with jitter."""
    policy = Retrying(
        retry=retry_if_exception(_is_retryable),
        stop=stop_after_attempt(ATTEMPTS),
        wait=wait_random_exponential(multiplier=0.02, max=0.5),
    )
    try:
        return policy(attempt)
    except RetryError as error:
        raise Busy("too many commands compete for the same thing") from error
    except IntegrityError as error:
        raise Conflict(_violated(error), code="constraint-violated") from error


def _is_retryable(error: BaseException) -> bool:
    return isinstance(error, OperationalError) and getattr(error.__cause__, "sqlstate", None) in RETRYABLE


def _violated(error: IntegrityError) -> str:
    diagnosis = getattr(error.__cause__, "diag", None)
    name = getattr(diagnosis, "constraint_name", None) or "a constraint"
    return f"somebody else was faster, or a rule of the database was broken: {name}"


def lock(model: type[A], *, expected_version: int | None = None, **lookup: Any) -> A:
    """The aggregate, locked until the transaction ends. Raises `NotFound`, or `StaleVersion` for another version."""
    current_unit()
    found = model._default_manager.select_for_update(of=("self",)).filter(**lookup).first()
    if found is None:
        said = ", ".join(str(value) for value in lookup.values())
        raise NotFound(f"there is no {model._meta.verbose_name} {said}")
    if expected_version is not None and found.version != expected_version:
        raise StaleVersion(f"version {expected_version} was expected, {found.version} is current")
    return found


def requires(role: Role) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorator of handlers: only actors with the role may carry the command out."""

    def decorate(handler: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(handler)
        def checked(*args: P.args, **kwargs: P.kwargs) -> R:
            allow(kwargs["actor"], role)  # type: ignore[arg-type]
            return handler(*args, **kwargs)

        return checked

    return decorate


def allow(actor: Actor, role: Role) -> None:
    """Raises `NotAuthenticated` or `Forbidden` unless the actor has the role."""
    if actor.has(role):
        return
    if not actor.is_authenticated:
        raise NotAuthenticated("this needs an access token")
    raise Forbidden(f"this needs the role {role.value}")
