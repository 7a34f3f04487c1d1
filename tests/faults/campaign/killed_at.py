"""`python -m tests.faults.campaign.killed_at N …`: that manage.py command, killed at the N-th write to MongoDB that it
makes once its swap has begun. Without so many it ends as it ends."""

from __future__ import annotations

import os
import runpy
import signal
import sys
from typing import Any

WRITES = {"insert", "update", "delete", "drop"}


def main() -> None:
    from pymongo import monitoring

    left, begun = int(sys.argv[1]), False

    class Death(monitoring.CommandListener):
        def started(self, event: monitoring.CommandStartedEvent) -> None:
            nonlocal left, begun
            if event.command_name not in WRITES:
                return
            begun = begun or _begins(event.command)
            left -= begun
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

        def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
            pass

        def failed(self, event: monitoring.CommandFailedEvent) -> None:
            pass

    monitoring.register(Death())
    sys.argv = ["manage.py", *sys.argv[2:]]
    runpy.run_path("manage.py", run_name="__main__")


def _begins(command: Any) -> bool:
    """The note to the workers is the first write of a swap."""
    updates = command.get("updates", ()) if command.get("update") == "projection_pointers" else ()
    return any("handing_over" in update["u"].get("$set", {}) for update in updates)


if __name__ == "__main__":
    main()
