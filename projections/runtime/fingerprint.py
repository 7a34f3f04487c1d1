"""What failures have in common: those with the same fingerprint are most likely healed by the same change."""

from __future__ import annotations

import traceback
from hashlib import blake2b
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]


def fingerprint(projection: str, event_type: str, error: BaseException) -> str:
    """12 hexadecimal digits of projection, event type, exception class and the place in our code that it came through.

    Neither message nor line number counts: one names the aggregate, the other changes with every edit above it.
    """
    return digest(projection, event_type, type(error).__qualname__, _place(error))


def digest(*parts: str) -> str:
    return blake2b("|".join(parts).encode(), digest_size=6).hexdigest()


def _place(error: BaseException) -> str:
    """File and function of the innermost frame that is ours."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if Path(f.filename).is_relative_to(PROJECT) and "site-packages" not in f.filename]
    return f"{Path(ours[-1].filename).relative_to(PROJECT)}:{ours[-1].name}" if ours else ""
