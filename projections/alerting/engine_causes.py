"""Causes of the engines and of the publisher: what stops the whole shop, or the whole stream."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from acme.alert_settings import AlertSettings
from acme.ports import PublisherState
from projections.alerting.cause import Cause, Kind
from projections.alerting.facts import Snapshot, age
from projections.alerting.words import ago, duration, text

ONE_MOVE = 10.0  # seconds without any event getting to Kafka: the publisher does not work, rather than being slow


def unreachable_read_store(snapshot: Snapshot, settings: AlertSettings, *, others: Sequence[Cause]) -> Cause:
    """``others`` hold as well, and nobody is told of them by themselves: that is noted in MongoDB."""
    return Cause(
        kind=Kind.READ_STORE,
        key="read-store:unreachable",
        severity="critical",
        summary="MongoDB cannot be reached: queries fail and no projection goes on",
        details=text(
            f"Error: {snapshot.read_store_error}",
            "Commands go on; projections catch up by themselves when it is back. Other causes that stand in MongoDB "
            "(dead letters, lag, workers) are not judged meanwhile.",
            *(f"Besides: {other.summary}" for other in others),
            "Look: manage.py projector status; then the server itself.",
        ),
        patience=settings.unreachable,
    )


def unreachable_event_log(snapshot: Snapshot, settings: AlertSettings) -> Cause:
    """The error is the driver's, which names the host and no password."""
    return Cause(
        kind=Kind.EVENT_LOG,
        key="event-log:unreachable",
        severity="critical",
        summary="PostgreSQL cannot be reached: no command is accepted and nothing is published",
        details=text(
            f"Error: {snapshot.event_log_error}",
            "Queries go on with the documents there are, and lag becomes unknown.",
            "Look: manage.py relay --once; then the server itself.",
        ),
        patience=settings.unreachable,
    )


def publisher_causes(publisher: PublisherState, now: datetime, settings: AlertSettings) -> Iterator[Cause]:
    """Halted, or standing still: never both, for the first explains the second."""
    oldest = publisher.oldest_recorded_at
    since = f"; the oldest was recorded {ago(oldest, now)}" if oldest else ""
    waiting = (
        f"{publisher.unnumbered} events wait for their number, {publisher.unpublished} numbered ones for Kafka{since}."
    )
    if publisher.halted_reason:
        yield Cause(
            kind=Kind.PUBLISHER,
            key="publisher:halted",
            severity="critical",
            summary=f"the publisher is halted in log epoch {publisher.epoch}: Kafka and the log tell different stories",
            details=text(
                f"Reason: {publisher.halted_reason}",
                waiting,
                "It happens after PostgreSQL was restored to an earlier moment. Read models get no new events until an "
                "operator starts a new epoch, after which every projection wants a rebuild.",
                "Look: manage.py relay --once; when the log is right: manage.py relay --new-epoch, then "
                "manage.py projector rebuild for each",
            ),
        )
    elif oldest and age(oldest, now) > settings.publisher:
        yield Cause(
            kind=Kind.PUBLISHER,
            key="publisher:standing-still",
            severity="critical",
            summary=f"no event gets to Kafka; the oldest waits for {duration(age(oldest, now))}",
            details=text(
                waiting,
                "Commands go on and nothing is lost. Kafka may be down or refusing, or no publisher runs.",
                "Look: manage.py relay --once",
            ),
            since=oldest,
            patience=ONE_MOVE,
            mark=str(publisher.published),
        )
