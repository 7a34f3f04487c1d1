"""The environment of the test session: a throw-away ACME_HOME with secrets, and the URLs of engines not started yet.

A pytest plugin (``-p tests.engines`` in pyproject.toml) and not a part of conftest.py, because pytest-django reads the
settings, and they the environment, before any conftest is loaded.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from acme.devstack.engines import find_all
from acme.devstack.home import Home

#: Names of the URLs that a test process has made up. A process that it starts to run tests (pytest-xdist) has them in
#: its environment, and must not take them for engines that somebody gave: it has its own.
MADE_UP = "ACME_TESTS_MADE_UP"

for variable in os.environ.pop(MADE_UP, "").split():
    os.environ.pop(variable, None)
HOME = Home(Path(tempfile.mkdtemp(prefix="acme-tests-")))
HOME.prepare()
ENGINES = find_all(HOME, say=lambda line: None)
os.environ.update(ENGINES.urls, ACME_HOME=str(HOME.root))
os.environ[MADE_UP] = " ".join(engine.variable for engine in ENGINES.ours)


def pytest_unconfigure() -> None:
    """Removes the directory, after conftest.py has stopped the engines in it."""
    shutil.rmtree(HOME.root, ignore_errors=True)
