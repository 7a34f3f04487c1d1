"""State machines as explicit tables: what is not in the table is a `Conflict` with the code ``wrong-state``."""

from __future__ import annotations

from collections.abc import Mapping

from acme.errors import Conflict

#: State → the states that may follow it. A state without an entry is final.
Transitions = Mapping[str, frozenset[str]]


def check_transition(table: Transitions, *, what: str, current: str, target: str) -> None:
    """Raises `Conflict` unless the table leads from ``current`` to ``target``."""
    if target not in table.get(current, frozenset()):
        raise Conflict(f"{what} is {current} and cannot become {target}", code="wrong-state")
