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

    Raises `OSError` when this process was given so many that none is left.
    """
    chosen = random.SystemRandom()
    while len(_given) < RANGE[1] - RANGE[0]:
        port = chosen.randrange(*RANGE)
        if port not in _given and is_free(port):
            _given.add(port)
            return port
    raise OSError(f"every port from {RANGE[0]} to {RANGE[1]} was given to something")


def accepts(port: int) -> bool:
    """True when something accepts connections there."""
    try:
        socket.create_connection((LOOPBACK, port), timeout=1).close()
    except OSError:
        return False
    return True
