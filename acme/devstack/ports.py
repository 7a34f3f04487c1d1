"""Free TCP ports on the loopback interface."""

from __future__ import annotations

import random
import socket

LOOPBACK = "127.0.0.1"
# Below the range from which Linux takes ports for outgoing connections (32768 up): between a server's
# death and its restart no client's socket can sit down on its port.
RANGE = (20_000, 32_000)
#: Given by this process: a shop chooses the ports of a dozen programs before the first of them listens.
_given: set[int] = set()


def is_free(port: int) -> bool:
    """True when a server could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A free port, never the same twice; chosen at random so that processes which choose at once rarely meet.

    Raises `OSError` when none is left.
    """
    left = [port for port in range(*RANGE) if port not in _given]
    for port in random.SystemRandom().sample(left, len(left)):
        if is_free(port):
            reserve(port)
            return port
    raise OSError(f"no port from {RANGE[0]} to {RANGE[1] - 1} is free")


def reserve(port: int) -> None:
    """It is not given to anybody else."""
    _given.add(port)


def accepts(port: int) -> bool:
    """True when something accepts connections there."""
    try:
        socket.create_connection((LOOPBACK, port), timeout=1).close()
    except OSError:
        return False
    return True
