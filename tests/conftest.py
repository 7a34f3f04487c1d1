"""Real engines for the tests, started on demand through `acme.devstack`; `make pytest` needs nothing running.

The environment is set by `tests.engines`, before Django's settings: a throw-away ACME_HOME with secrets, and the URLs
of engines that are not started yet. An engine whose URL is in the environment is used as it is
(so the same suite runs on real Kafka or MongoDB), and a native server on PATH goes before the embedded one: `make
test-kafka` puts Apache Kafka there. Ask for a fixture to have an engine running:

=================  ========  =====================================================================================
fixture            scope     what it gives
=================  ========  =====================================================================================
``db``, …          function  pytest-django's own; PostgreSQL is started by `django_db_setup`
``postgres``       session   URL; PostgreSQL runs (only needed where pytest-django's fixtures are not used)
``mongo``          session   URL (database ``acme``) of the session's MongoDB, for code that reads MONGODB_URL
``mongo_database`` function  name of a fresh, empty database on it, dropped afterwards; `settings` untouched
``kafka``          session   bootstrap servers of the session's broker, for code that reads KAFKA_BOOTSTRAP_SERVERS
``redis``          session   URL of the session's Redis
``kafka_broker``   function  a broker of your own, empty: ``.url`` (host:port), ``.kill()``, ``.start()`` (with what it
                             held where ``.keeps``: Apache Kafka), ``.start_empty()`` and ``.restart()`` (same port,
                             empty again, on either broker), ``.stop()``, ``.pid``
``mongo_server``   function  a MongoDB of your own: ``.url``, ``.kill9()``, ``.start()``, ``.restart()``
                             (same port and directory), ``.stop()``, ``.pid``
``acme_stack``     function  factory: ``stack = acme_stack()`` is a whole `manage.py up --no-demo --port 0`;
                             see `tests.stack.Stack`: ``.base_url``, ``.pid_of(name)``, ``.kill9(name)``,
                             ``.suspend(name)``, ``.resume(name)``, ``.wait_restarted(name, old_pid)``,
                             ``.wait_all_running()``, ``.manage("projector", "lag")``, ``.stop()``
=================  ========  =====================================================================================

``kill`` and ``kill9`` are the same: SIGKILL, returning when the process is gone. Names of processes in a stack:
postgres, kafka, mongodb, redis, web, projector-1 (…-N), relay, worker, beat.
"""

from __future__ import annotations

import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from acme.devstack import mongodb as mongodb_engine
from acme.devstack.engine import EngineServer
from acme.devstack.home import Home
from acme.devstack.ports import free_port
from tests.broker import Broker
from tests.engines import ENGINES
from tests.stack import Stack

PROJECT = Path(__file__).resolve().parent.parent
_RUNNING: dict[str, EngineServer] = {}
#: Under this name (`record_property`) a test has said at the end of the run what it came to.
SAID = "said"


@pytest.hookimpl(tryfirst=True)  # before pytest chooses by -m
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """`-m kafka`: what asks for a broker, itself or through another fixture."""
    for item in items:
        if {"kafka", "kafka_broker"} & set(getattr(item, "fixturenames", ())):
            item.add_marker("kafka")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """What campaigns of faults came to, and the seeds of random runs, are the last that is said."""
    for report in chain(*(terminalreporter.getreports(outcome) for outcome in ("passed", "failed"))):
        for name, line in getattr(report, "user_properties", ()):
            if name == SAID and report.when == "call":
                terminalreporter.write_line(line)


def pytest_unconfigure() -> None:
    """Stops what the session started."""
    for server in reversed(_RUNNING.values()):
        server.stop()
    _RUNNING.clear()


def _running(variable: str) -> str:
    """The URL in that variable; starts our engine behind it at the first call."""
    for engine in ENGINES.ours:
        if engine.variable == variable and variable not in _RUNNING:
            _RUNNING[variable] = EngineServer(engine).start()
    return ENGINES.urls[variable]


@pytest.fixture(scope="session")
def postgres() -> str:
    return _running("DATABASE_URL")


@pytest.fixture(scope="session")
def mongo() -> str:
    return _running("MONGODB_URL")


@pytest.fixture(scope="session")
def kafka() -> str:
    return _running("KAFKA_BOOTSTRAP_SERVERS")


@pytest.fixture(scope="session")
def redis() -> str:
    return _running("CELERY_BROKER_URL")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(postgres: str) -> None:
    """pytest-django's hook before it makes the test database: PostgreSQL must run by then."""


@pytest.fixture
def mongo_database(mongo: str) -> Iterator[str]:
    from pymongo import MongoClient

    name = f"test_{uuid.uuid4().hex[:12]}"
    yield name
    with MongoClient(mongo) as client:
        client.drop_database(name)


@pytest.fixture
def own_home() -> Iterator[Home]:
    """A throw-away ACME_HOME of the test's own. Not `tmp_path`: PostgreSQL's user cannot enter that one."""
    home = Home(Path(tempfile.mkdtemp(prefix="acme-test-")))
    home.prepare()
    yield home
    shutil.rmtree(home.root, ignore_errors=True)


@pytest.fixture
def kafka_broker(own_home: Home) -> Iterator[Broker]:
    yield from _started(Broker(own_home))


@pytest.fixture
def mongo_server(own_home: Home) -> Iterator[EngineServer]:
    yield from _started(EngineServer(mongodb_engine.find(own_home, free_port(), lambda line: None)))


def _started(server: EngineServer) -> Iterator[Any]:
    server.start()
    yield server
    server.stop()


@pytest.fixture
def acme_stack() -> Iterator[Callable[..., Stack]]:
    """Factory of whole stacks: ``acme_stack(*options, home=None, **environment)``; all are stopped afterwards."""
    with ExitStack() as stacks:

        def start(*options: str, home: Path | None = None, **environment: str) -> Stack:
            stack = Stack.start(options or ("--no-demo",), home=home, environment=environment)
            stacks.callback(stack.close)
            return stack

        yield start
