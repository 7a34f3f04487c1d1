"""The header ``Prefer`` (RFC 7240), as far as queries understand it: ``wait=SECONDS`` and ``handling=lenient``.

What is not understood is ignored, as the RFC demands.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

#: Seconds a query waits for its consistency token when the client does not say, and at the most.
DEFAULT_WAIT = 5
MAX_WAIT = 30
_PREFERENCE = re.compile(r'\s*([\w!#$%&\'*+.^`|~-]+)\s*(?:=\s*("(?:[^"\\]|\\.)*"|[^\s;,]*))?[^,]*(?:,|$)')
_SECONDS = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, kw_only=True)
class Preferences:
    """``wait`` in seconds; ``applied`` is the answer's ``Preference-Applied``, empty when nothing was asked."""

    wait: int = DEFAULT_WAIT
    lenient: bool = False
    applied: str = ""


def read_preferences(header: str | None) -> Preferences:
    """Of several preferences of the same name the first one counts."""
    asked: dict[str, str] = {}
    for name, value in _PREFERENCE.findall(header or ""):
        asked.setdefault(name.lower(), value.strip('"'))
    wait = min(int(asked["wait"]), MAX_WAIT) if _SECONDS.fullmatch(asked.get("wait", "")) else None
    lenient = asked.get("handling", "").lower() == "lenient"
    applied = [f"wait={wait}"] if wait is not None else []
    applied += ["handling=lenient"] if lenient else []
    return Preferences(wait=DEFAULT_WAIT if wait is None else wait, lenient=lenient, applied=", ".join(applied))
