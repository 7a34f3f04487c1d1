"""Free TCP ports on the loopback interface."""

from __future__ import annotations

import random
import socket

LOOPBACK = "127.0.0.1"
# Below the range from which Linux takes ports for outgoing connections (32768 up): between a server's
# death and its restart no client's socket can sit down on its port.
RANGE = (20_000, 32_000)


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
    """A free port, chosen at random so that two that choose at the same time rarely meet."""
    while True:
        port = random.SystemRandom().randrange(*RANGE)
        if is_free(port):
            return port


def accepts(port: int) -> bool:
    """True when something accepts connections there."""
    try:
        socket.create_connection((LOOPBACK, port), timeout=1).close()
    except OSError:
        return False
    return True
