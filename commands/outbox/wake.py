"""What `transaction.on_commit` calls: wakes the background publisher thread of this process, without waiting."""

from __future__ import annotations


def wake_publisher() -> None:
    """Never blocks and never raises: the events are in the log, and the relay and the sweep find them too."""
