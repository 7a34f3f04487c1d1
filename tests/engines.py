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

HOME = Home(Path(tempfile.mkdtemp(prefix="acme-tests-")))
HOME.prepare()
ENGINES = find_all(HOME, say=lambda line: None)
os.environ.update(ENGINES.urls, ACME_HOME=str(HOME.root))


def pytest_unconfigure() -> None:
    """Removes the directory, after conftest.py has stopped the engines in it."""
    shutil.rmtree(HOME.root, ignore_errors=True)
