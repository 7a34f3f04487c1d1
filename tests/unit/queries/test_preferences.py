"""Prefer, as RFC 7240 writes it."""

from __future__ import annotations

import pytest

from queries.preferences import DEFAULT_WAIT, MAX_WAIT, read_preferences


@pytest.mark.parametrize(
    ("header", "wait", "lenient", "applied"),
    [
        (None, DEFAULT_WAIT, False, ""),
        ("", DEFAULT_WAIT, False, ""),
        ("wait=10", 10, False, "wait=10"),
        ("wait=0", 0, False, "wait=0"),
        ("wait=3600", MAX_WAIT, False, f"wait={MAX_WAIT}"),
        ('Wait = "7"; foo=bar , Handling=lenient', 7, True, "wait=7, handling=lenient"),
        ("respond-async, wait=100, handling=lenient", MAX_WAIT, True, f"wait={MAX_WAIT}, handling=lenient"),
        ("wait=1, wait=9", 1, False, "wait=1"),
        ("wait=-1", DEFAULT_WAIT, False, ""),
        ("wait=1.5", DEFAULT_WAIT, False, ""),
        ("wait=soon; handling=lenient", DEFAULT_WAIT, False, ""),
        ("handling=strict", DEFAULT_WAIT, False, ""),
        ("wait", DEFAULT_WAIT, False, ""),
        (",,;=", DEFAULT_WAIT, False, ""),
        ('foo="a, wait=3"', DEFAULT_WAIT, False, ""),
        ("wait=" + "9" * 5000, DEFAULT_WAIT, False, ""),
    ],
)
def test_preferences(header: str | None, wait: int, lenient: bool, applied: str) -> None:
    found = read_preferences(header)
    assert (found.wait, found.lenient, found.applied) == (wait, lenient, applied)
