"""Every knob of a worker, declared once with its meaning."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class WorkerSettings:
    """Times in seconds."""

    # Events of one batch, from Kafka and from the log. An imported order may change a hundred counters, and a batch
    # must not take longer than a heartbeat may be late (ALIVE in heartbeat.py).
    max_records: int = 400
    log_records: int = 400
    poll: float = 0.25  # how long one poll waits when nothing comes
    heartbeat: float = 1.0  # heads copied, checkpoints audited, identities compared
    idle_before_log: float = 2.0  # behind the head and nothing received: read the log instead
    blocked_retry: float = 10.0  # a partition with a gap is looked at again
    group_given_up: float = 15.0  # nobody got a partition for so long: the group is stuck, a new one is used
    backoff_first: float = 0.1  # after an engine's failure; doubles up to backoff_cap, with jitter
    backoff_cap: float = 5.0


DEFAULT = WorkerSettings()
