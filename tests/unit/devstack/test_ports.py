"""Ports of a shop's programs: chosen before anything listens, and yet no two the same."""

from __future__ import annotations

import socket

import pytest

from acme.devstack import ports


def test_no_port_is_given_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of so few they would meet at once, if nobody remembered."""
    monkeypatch.setattr(ports, "_given", set())
    monkeypatch.setattr(ports, "RANGE", (31_000, 31_040))
    free = {port for port in range(*ports.RANGE) if ports.is_free(port)}
    assert {ports.free_port() for _ in free} == free


def test_a_port_on_which_something_listens_is_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "_given", set())
    with socket.socket() as taken:
        taken.bind((ports.LOOPBACK, 0))
        taken.listen()
        number = taken.getsockname()[1]
        monkeypatch.setattr(ports, "RANGE", (number, number + 2))
        assert not ports.is_free(number)
        if ports.is_free(number + 1):
            assert ports.free_port() == number + 1


def test_when_all_are_given_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "_given", set(range(31_000, 31_010)))
    monkeypatch.setattr(ports, "RANGE", (31_000, 31_010))
    with pytest.raises(OSError, match="every port from 31000 to 31010"):
        ports.free_port()
