"""Old schema version → new: each step turns the JSON data of one version into that of the next.

An event type changes only by a new schema version with an upcaster here, a golden example of each version under
``examples/`` and a test. There are none yet: every event is at version 1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]

#: (event type, version it starts from) → the step to the next version.
UPCASTERS: dict[tuple[str, int], Upcaster] = {}


class UnknownSchemaVersion(ValueError):
    """The event is newer than this code, or a step from its version is missing."""


def upcast(
    event_type: str,
    version: int,
    target: int,
    data: dict[str, Any],
    steps: dict[tuple[str, int], Upcaster] = UPCASTERS,
) -> dict[str, Any]:
    """The data at version ``target``. Raises `UnknownSchemaVersion`."""
    if version > target:
        raise UnknownSchemaVersion(f"{event_type} has schema version {version}, this code knows {target}")
    for step in range(version, target):
        if (event_type, step) not in steps:
            raise UnknownSchemaVersion(f"{event_type} has no upcaster from schema version {step}")
        data = steps[event_type, step](data)
    return data
