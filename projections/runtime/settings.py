"""Every knob of a worker, declared once with its meaning."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """How often an event that fails is tried before it is parked. All failing events of a batch wait together."""

    name: str
    attempts: int
    first_pause: float  # seconds; doubles from one attempt to the next
    longest_pause: float

    def pauses(self) -> Iterator[float]:
        """Seconds before the second attempt, the third, and so on."""
        for number in range(self.attempts - 1):
            yield min(self.longest_pause, self.first_pause * 2**number)


#: Handlers are pure, so a second try seldom helps; what it may help against is over soon.
BRIEF = RetryPolicy(name="brief", attempts=3, first_pause=0.02, longest_pause=0.1)
#: For tests and for projections whose handlers cannot fail by chance.
AT_ONCE = RetryPolicy(name="at once", attempts=1, first_pause=0.0, longest_pause=0.0)


@dataclass(frozen=True, kw_only=True)
class QueueLimits:
    """Dead letters of one generation; where one more would be too many, the partition pauses and alerts."""

    per_aggregate: int = 20_000
    in_all: int = 100_000


@dataclass(frozen=True, kw_only=True)
class WorkerSettings:
    """Times in seconds."""

    # Events of one batch at most, from Kafka and from the log. Fewer where batches take long: an imported order may
    # change a hundred counters, and between two batches the worker tells how it is and does what operators ask.
    max_records: int = 400
    log_records: int = 400
    first_batch: int = 100  # events, after a start; doubles after a quick full batch
    smallest_batch: int = 10  # events
    longest_batch: float = 5.0  # after a batch that takes longer, no more is polled than half of it
    poll: float = 0.25  # how long one poll waits when nothing comes
    control: float = 0.4  # how often pointer and requests of operators are looked at
    heartbeat: float = 1.0  # heads copied, checkpoints audited, identities compared
    idle_before_log: float = 2.0  # behind the head and nothing received: read the log instead
    blocked_retry: float = 10.0  # a partition with a gap is looked at again
    tidy: float = 60.0  # how often letters and markers that a late worker has left are looked for
    group_given_up: float = 15.0  # nobody got a partition for so long: the group is stuck, a new one is used
    backoff_first: float = 0.1  # after an engine's failure; doubles up to backoff_cap, with jitter
    backoff_cap: float = 5.0
    begun_anew_first: float = 1.0  # after a worker's own error; doubles up to begun_anew_cap
    begun_anew_cap: float = 60.0
    retried_at_once: int = 100  # dead letters of a request between two batches of the stream
    lease: float = 10.0  # a worker whose lease was not renewed for so long is not alive
    handover: float = 20.0  # how long a worker rests so that another generation can go live, at most
    hang: float = 60.0  # a turn that takes longer hangs: the lease is not renewed any more, and the process ends
    limits: QueueLimits = QueueLimits()


DEFAULT = WorkerSettings()
