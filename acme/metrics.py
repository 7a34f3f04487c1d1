"""Every Prometheus metric of ACME, declared once: name, labels, unit (the end of the name) and what it means.

Counters and histograms count what this process did. States are computed at every scrape from what is in the engines
(`acme.exposition`), so they are right after any restart; several processes show the same ones: take the maximum.
``python -m acme.metrics`` prints docs/metrics.md.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

from prometheus_client import Counter, Histogram, disable_created_metrics
from prometheus_client.core import GaugeMetricFamily

disable_created_metrics()  # a second series for each counter, which nobody asks for

#: Upper bounds in seconds. A query may wait 30 s for its consistency token.
REQUEST_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
BATCH_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True)
class Declared:
    """One metric, under the name by which it is asked for. ``kind``: counter, histogram or state (a gauge)."""

    name: str
    kind: str
    labels: tuple[str, ...]
    meaning: str

    def family(self) -> GaugeMetricFamily:
        """An empty family for a collector to fill with ``add_metric(label values, value)``."""
        return GaugeMetricFamily(self.name, self.meaning, labels=self.labels)


DECLARED: list[Declared] = []


def _declare(name: str, kind: str, labels: tuple[str, ...], meaning: str) -> Declared:
    DECLARED.append(Declared(name, kind, labels, meaning))
    return DECLARED[-1]


def _counter(name: str, meaning: str, *labels: str) -> Counter:
    _declare(name, "counter", labels, meaning)
    return Counter(name, meaning, labels)


def _histogram(name: str, meaning: str, *labels: str, buckets: tuple[float, ...]) -> Histogram:
    _declare(name, "histogram", labels, meaning)
    return Histogram(name, meaning, labels, buckets=buckets)


def _state(name: str, meaning: str, *labels: str) -> Declared:
    return _declare(name, "state", labels, meaning)


# ---------------------------------------------------------------- web
HTTP_REQUESTS = _counter(
    "acme_http_requests_total",
    "Answered HTTP requests. side: query, command, admin or other; route: the address with {} for its parameters; "
    "status: class of the answer, such as 2xx.",
    *("side", "method", "route", "status"),
)
HTTP_SECONDS = _histogram(
    "acme_http_request_seconds",
    "Seconds from a request's arrival in the application to its answer, waiting for a consistency token included.",
    *("side", "method", "route"),
    buckets=REQUEST_BUCKETS,
)

# ---------------------------------------------------------------- write side
COMMANDS = _counter(
    "acme_commands_total",
    "Commands carried out one by one (an importer's batches are not among them). outcome: done; unchanged: nothing was "
    "to do; refused: by a rule or for lack of rights; conflict: with the state or the expected version; busy: given up "
    "after retries; failed: by an error of ours or of an engine.",
    *("command", "outcome"),
)
COMMAND_SECONDS = _histogram(
    "acme_command_seconds",
    "Seconds of one command, its transaction and its retries included.",
    "command",
    buckets=REQUEST_BUCKETS,
)
EVENTS_PUBLISHED = _counter(
    "acme_events_published_total", "Events that Kafka acknowledged, those sent a second time included.", "topic"
)
PUBLISH_SECONDS = _histogram(
    "acme_publish_seconds",
    "Seconds of one send: from the first event handed to Kafka to the cursor moved past the last.",
    buckets=BATCH_BUCKETS,
)
PUBLISH_FAILURES = _counter(
    "acme_publish_failures_total",
    "Attempts to publish that were broken off. reason: kafka, postgresql, halted (an operator is needed) or error.",
    "reason",
)
OUTBOX_EVENTS = _state(
    "acme_outbox_events",
    "Events in the log that Kafka does not have yet. stage: unnumbered (recorded, no sequence yet) or unpublished "
    "(numbered, not acknowledged).",
    "stage",
)
OUTBOX_OLDEST_SECONDS = _state(
    "acme_outbox_oldest_age_seconds",
    "Seconds since the oldest event that Kafka does not have was recorded; 0 when there is none.",
)
PUBLISHER_HALTED = _state(
    "acme_publisher_halted", "1 while the publisher waits for `manage.py relay --new-epoch`, because Kafka is ahead."
)

# ---------------------------------------------------------------- projections: what a projector did
PROJECTION_APPLIED = _counter(
    "acme_projection_events_applied_total",
    "Events applied, those that were applied again after a batch was dropped included, and those of a generation "
    "that is kept up to date after a rebuild.",
    "projection",
)
PROJECTION_BATCH_SECONDS = _histogram(
    "acme_projection_batch_seconds",
    "Seconds of one batch: documents read, events folded, documents and checkpoints written; of a worker that is "
    "behind also the preparing of the next one meanwhile. Its count is the number of batches.",
    "projection",
    buckets=BATCH_BUCKETS,
)
PROJECTION_PARKED = _counter(
    "acme_projection_events_parked_total",
    "Events put among the dead letters, those that only wait behind a failing one of their aggregate included.",
    "projection",
)
PROJECTION_OVERTAKEN = _counter(
    "acme_projection_overtaken_total",
    "Batches dropped because the store held something else than what was read: another worker, or a store that went "
    "back.",
    "projection",
)
PROJECTION_ENGINE_FAILURES = _counter(
    "acme_projection_engine_failures_total",
    "Turns of a worker broken off because MongoDB, PostgreSQL or Kafka could not be used; it waits and tries again.",
    "projection",
)
LETTERS_RETRIED = _counter(
    "acme_dead_letters_retried_total",
    "Dead letters tried again. outcome: done (applied), failed (parked still) or held (one before it failed).",
    *("projection", "outcome"),
)
LETTERS_DISCARDED = _counter(
    "acme_dead_letters_discarded_total", "Dead letters that an operator gave up.", "projection"
)

# ---------------------------------------------------------------- projections: how they stand
LAG_EVENTS = _state(
    "acme_projection_lag_events",
    "Events not yet in the read model. stage: unnumbered (recorded, of all topics), unacknowledged (numbered, not in "
    "Kafka) or unprojected (in Kafka, not applied). No sample while the lag is unknown.",
    *("projection", "stage"),
)
LAG_SECONDS = _state(
    "acme_projection_lag_seconds",
    "Seconds since the oldest event not yet applied was recorded; 0 when caught up. No sample while it is unknown.",
    "projection",
)
LAG_KNOWN = _state(
    "acme_projection_lag_known",
    "1 when the lag is known; 0 when no worker has looked at the stream heads for some seconds.",
    "projection",
)
PARKED_EVENTS = _state(
    "acme_projection_parked_events", "Dead letters of the live generation that are parked.", "projection"
)
PARKED_OLDEST_SECONDS = _state(
    "acme_projection_parked_oldest_age_seconds",
    "Seconds since the oldest parked dead letter failed first; 0 when there is none.",
    "projection",
)
BLOCKED_PARTITIONS = _state(
    "acme_projection_blocked_partitions",
    "Partitions that cannot go on. kind: gap (events that nobody can supply), epoch (of another log epoch), rewritten "
    "(the log has another event under a sequence) or queue-full (too many dead letters).",
    *("projection", "kind"),
)
WORKERS = _state("acme_projection_workers", "Workers that are alive, that is, whose lease has not ended.", "projection")
HEARTBEAT_SECONDS = _state(
    "acme_projection_heartbeat_age_seconds",
    "Seconds since a worker's last heartbeat. Workers that ended cleanly are gone; killed ones stay for an hour.",
    *("projection", "worker"),
)
PAUSED = _state("acme_projection_paused", "1 while an operator has paused the projection.", "projection")

# ---------------------------------------------------------------- alerts
ALERTS_SENT = _counter(
    "acme_alerts_sent_total",
    "Alert messages delivered, all-clears included. channel: email or webhook.",
    "kind",
    "channel",
)
ALERTS_FAILED = _counter(
    "acme_alerts_failed_total",
    "Attempts to deliver an alert message that failed; they are made again.",
    *("kind", "channel"),
)

# ---------------------------------------------------------------- the scrape itself
COLLECTOR_SUCCESS = _state(
    "acme_scrape_collector_success",
    "0 when this scrape could not read one part of the state (projections in MongoDB, outbox in PostgreSQL), whose "
    "metrics are missing then.",
    "collector",
)
COLLECTOR_SECONDS = _state(
    "acme_scrape_collector_seconds", "Seconds that this scrape took for one part of the state.", "collector"
)


def as_markdown() -> str:
    """docs/metrics.md: a table of everything that is declared here."""
    rows = [
        f"| `{one.name}` | {one.kind} | {', '.join(f'`{label}`' for label in one.labels)} | {one.meaning} |"
        for one in DECLARED
    ]
    return "\n".join(
        [
            "# Metrics",
            "",
            "Made by `python -m acme.metrics` from the declarations in [acme/metrics.py](../acme/metrics.py); a test "
            "compares it.",
            "Counters and histograms count what one process did: add them up. States are read from the engines at",
            "every scrape, and several processes show the same ones: take the maximum.",
            "",
            "| name | kind | labels | meaning |",
            "|---|---|---|---|",
            *rows,
            "",
        ]
    )


if __name__ == "__main__":
    sys.stdout.write(as_markdown())
