"""Values of options, checked while they are parsed: the message says what would be right."""

from __future__ import annotations

import argparse
import math


def positive_seconds(text: str) -> float:
    """0.1 to a day: an interval of nothing would never rest."""
    return _seconds(text, least=0.1)


def seconds(text: str) -> float:
    """0 to a day."""
    return _seconds(text, least=0.0)


def whole(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text}: a whole number, at least 0")
    return int(text)


def positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text}: a whole number, at least 1")
    return int(text)


def filled(text: str) -> str:
    """Some words."""
    if not text.strip():
        raise argparse.ArgumentTypeError("it is empty")
    return text.strip()


def _seconds(text: str, *, least: float) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not least <= value <= 86_400:
        raise argparse.ArgumentTypeError(f"{text}: seconds, from {least:g} to 86400")
    return value
