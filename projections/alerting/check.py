"""One check: look, write down what holds, send what is due. Any number of processes may do it at once."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

import redis
from pymongo.errors import PyMongoError

from acme.alert_settings import AlertSettings
from acme.env import EngineNotConfigured, env
from acme.metrics import ALERTS_FAILED, ALERTS_SENT
from projections.alerting import outage
from projections.alerting.book import Book
from projections.alerting.cause import Assessment
from projections.alerting.causes import assess
from projections.alerting.channels import Channel, ChannelFailed
from projections.alerting.facts import Snapshot
from projections.alerting.outage import OutageBook
from projections.alerting.snapshot import said
from projections.alerting.telling import Ledger
from queries.documents.connection import database

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What a check found and did: keys of the causes that hold, messages accepted, attempts in vain."""

    holding: tuple[str, ...]
    sent: int
    failed: int


def run_check(snapshot: Snapshot, channels: tuple[Channel, ...], settings: AlertSettings) -> Checked:
    """Sends what is due. Failures of engines and channels are logged; the next check makes them good."""
    assessment = assess(snapshot, settings)
    sent, failed = _outage(assessment, channels, settings, snapshot.at)
    if snapshot.projections is not None:
        try:
            more, less = tell(Book(database(), settings), assessment, channels, snapshot.at)
            sent, failed = sent + more, failed + less
        except PyMongoError as error:
            logger.warning("the book of alerts cannot be used, the next check goes on: %s", said(error))
    return Checked(holding=tuple(cause.key for cause in assessment.causes), sent=sent, failed=failed)


def _outage(
    assessment: Assessment, channels: tuple[Channel, ...], settings: AlertSettings, now: datetime
) -> tuple[int, int]:
    """The one cause that is not in MongoDB."""
    try:
        with outage.connect(env.require("celery_broker_url")) as client:
            return tell(OutageBook(client, settings), assessment, channels, now)
    except (redis.RedisError, EngineNotConfigured, ValueError) as error:
        logger.warning("Redis cannot be used, so nobody is told about MongoDB: %s", said(error))
        return 0, 0


def tell(book: Ledger, assessment: Assessment, channels: tuple[Channel, ...], now: datetime) -> tuple[int, int]:
    """Notes the assessment and sends what is due; returns how many messages were accepted and how many were not.

    A channel that fails is left alone until the next check, so that its time-outs do not hold up the others.
    """
    ways = {channel.name: channel for channel in channels}
    names = tuple(ways)
    book.note(assessment, now)
    sent, failed = 0, set[str]()
    for due in book.due(names, assessment, now):
        claim = None if due.channel in failed else book.claim(due, now)
        if claim is None:
            continue
        try:
            ways[due.channel].send(due.message)
        except ChannelFailed as error:
            book.failed(claim, due, now, str(error))
            failed.add(due.channel)
            logger.warning("alert %s (%s) was not sent: %s", due.message.key, due.message.state, error)
        else:
            book.sent(claim, due, now)
            sent += 1
            logger.info("alert %s (%s) was sent by %s", due.message.key, due.message.state, due.channel)
        count_delivery(due.message.kind, due.channel, accepted=due.channel not in failed)
    book.close(names, assessment, now)
    return sent, len(failed)


def count_delivery(kind: str, channel: str, *, accepted: bool) -> None:
    """Every attempt, for the metrics."""
    (ALERTS_SENT if accepted else ALERTS_FAILED).labels(kind, channel).inc()
