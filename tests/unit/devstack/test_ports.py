"""Ports of a shop's programs: chosen before anything listens, and yet no two the same."""

from __future__ import annotations

import socket

import pytest

from acme.devstack import ports


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> range:
    """Ports of which nothing has been given; what listens on this machine is nobody's matter."""
    monkeypatch.setattr(ports, "_given", set())
    monkeypatch.setattr(ports, "RANGE", (31_000, 31_020))
    monkeypatch.setattr(ports, "is_free", lambda port: port != 31_007)
    return range(31_000, 31_020)


def test_no_port_is_given_twice_none_that_is_reserved_and_none_that_is_taken(few: range) -> None:
    ports.reserve(31_003)
    given = [ports.free_port() for _ in range(18)]
    assert sorted(given) == [port for port in few if port not in {31_003, 31_007}]
    with pytest.raises(OSError, match="no port from 31000 to 31019 is free"):
        ports.free_port()


def test_a_port_on_which_something_listens_is_not_free() -> None:
    with socket.socket() as taken:
        taken.bind((ports.LOOPBACK, 0))
        taken.listen()
        assert not ports.is_free(taken.getsockname()[1])
