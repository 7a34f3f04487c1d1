"""The engines of a benchmark run: those of the environment, else embedded ones of its own, empty, as tests have them.

The wheel's MongoDB server is so slow that it would hide what is measured: `secantusd-rs` or `mongod` must be on PATH,
or MONGODB_URL be given.
"""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from acme.devstack.engine import EngineServer
from acme.devstack.engines import check_given


class TooSlow(Exception):
    """The engines at hand would hide what is measured."""


class CannotMeasure(Exception):
    """A peer that cannot be had here."""


@contextmanager
def running() -> Iterator[dict[str, str]]:
    """Starts what is needed, with tables and topics; answers what each engine is. Django is set up afterwards."""
    from tests.engines import ENGINES, HOME  # sets the environment before Django reads it

    os.environ["DJANGO_SETTINGS_MODULE"] = "acme.settings"
    found = {engine.variable: engine.where for engine in ENGINES.ours}
    mongo = found.get("MONGODB_URL", "given")
    if mongo != "given" and not any(name in mongo for name in ("secantusd-rs", "mongod")):
        raise TooSlow(f"the MongoDB server would be {mongo}: put secantusd-rs or mongod on PATH, or give MONGODB_URL")
    check_given(ENGINES)
    servers = []
    try:
        for engine in ENGINES.ours:
            if engine.name != "redis":
                servers.append(EngineServer(engine).start())
        _prepare()
        if ENGINES.given:
            _refuse_a_shop()
        yield {**dict.fromkeys(ENGINES.given, "given"), **found, **_versions()}
    finally:
        for server in reversed(servers):
            server.stop()
        shutil.rmtree(HOME.root, ignore_errors=True)


def _prepare() -> None:
    import django

    django.setup()
    from django.core.management import call_command

    from acme.bus import Topics
    from acme.collector import tune_collector
    from acme.contracts.topics import TOPICS

    tune_collector()  # as `relay` and `projector run` do; the bare loops have it, too
    call_command("migrate", verbosity=0)
    topics = Topics(os.environ["KAFKA_BOOTSTRAP_SERVERS"])
    topics.ensure(TOPICS)
    topics.close()


def _refuse_a_shop() -> None:
    """Raises `CannotMeasure` where the engines of the environment have a log: a benchmark would fill it."""
    from commands.outbox.models import DomainEvent

    if DomainEvent.objects.exists():
        raise CannotMeasure("the database of DATABASE_URL has events: benchmarks want empty engines")


def _versions() -> dict[str, Any]:
    from django.db import connection

    from queries.documents.connection import database

    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        (postgresql,) = cursor.fetchone()
    mongodb = database().client.server_info()["version"]
    return {"postgresql": postgresql, "mongodb": mongodb, "python": platform.python_version()}
