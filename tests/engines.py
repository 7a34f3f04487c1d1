"""The environment of the test session: a throw-away ACME_HOME with secrets, and the URLs of engines not started yet.

A pytest plugin (``-p tests.engines`` in pyproject.toml) and not a part of conftest.py, because pytest-django reads the
settings, and they the environment, before any conftest is loaded.
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from pathlib import Path

import pytest

from acme.devstack import kafka
from acme.devstack.engines import find_all
from acme.devstack.home import Home

#: Names of the URLs that a test process has made up. A process that it starts to run tests (pytest-xdist) has them in
#: its environment, and must not take them for engines that somebody gave: it has its own.
MADE_UP = "ACME_TESTS_MADE_UP"

#: `make test-kafka` says where its broker's scripts are. Were they passed over (no java, say), all tests would run on
#: the embedded broker, and nobody would see it.
KAFKA_FROM = "ACME_TESTS_KAFKA_FROM"

for variable in os.environ.pop(MADE_UP, "").split():
    os.environ.pop(variable, None)
HOME = Home(Path(tempfile.mkdtemp(prefix="acme-tests-")))
HOME.prepare()
SAID: list[str] = []
ENGINES = find_all(HOME, say=SAID.append)
os.environ.update(ENGINES.urls, ACME_HOME=str(HOME.root))
os.environ[MADE_UP] = " ".join(engine.variable for engine in ENGINES.ours)


def pytest_configure() -> None:
    """Refuses to run when Kafka is not the one that was asked for."""
    # A script that starts the tests with & has them ignore Ctrl-C, and all that they start; no terminal does.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    wanted = os.environ.get(KAFKA_FROM)
    found = {engine.variable: engine.where for engine in ENGINES.ours}.get(kafka.VARIABLE, "that of the environment")
    if wanted and not Path(found).is_relative_to(Path(wanted).resolve()):
        why = [line for line in SAID if line.startswith("Kafka")]
        raise pytest.UsageError("\n".join([f"Kafka is {found}, and not the one in {wanted}", *why]))


def pytest_unconfigure() -> None:
    """Removes the directory, after conftest.py has stopped the engines in it."""
    shutil.rmtree(HOME.root, ignore_errors=True)
