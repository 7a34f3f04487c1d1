"""The four engines together: which are given by the environment, which we run, and their addresses file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from acme.devstack import kafka, mongodb, postgres, redis
from acme.devstack.engine import Engine, Say
from acme.devstack.errors import CannotStart
from acme.devstack.home import Home, write_json
from acme.devstack.ports import free_port

MODULES = (postgres, kafka, mongodb, redis)


@dataclass(frozen=True)
class Engines:
    """`given`: variable → URL from the environment. `ours`: engines to run, in starting order."""

    given: Mapping[str, str]
    ours: tuple[Engine, ...]

    @property
    def urls(self) -> dict[str, str]:
        """Variable → URL of every engine."""
        return {**self.given, **{engine.variable: engine.url for engine in self.ours}}


def find_all(home: Home, say: Say, environ: Mapping[str, str] | None = None) -> Engines:
    """Every engine: by its URL in the environment, else a native server, else the wheel's. Raises `CannotStart`."""
    environ = os.environ if environ is None else environ
    given = {module.VARIABLE: environ[module.VARIABLE] for module in MODULES if environ.get(module.VARIABLE)}
    ours = tuple(module.find(home, free_port(), say) for module in MODULES if module.VARIABLE not in given)
    return Engines(given, ours)


def check_given(engines: Engines) -> None:
    """Raises `CannotStart` naming the first engine of the environment that does not answer."""
    for module in MODULES:
        url = engines.given.get(module.VARIABLE)
        if url is not None and not module.answers(url):
            raise CannotStart(
                f"{module.VARIABLE} is set in the environment and nothing answers there: start that server, "
                f"correct the URL, or unset {module.VARIABLE} to have one started."
            )


def publish(home: Home, engines: Engines) -> None:
    """Writes the file in which every other `manage.py` command finds the running engines."""
    write_json(home.engines_file, engines.urls)


def withdraw(home: Home) -> None:
    """Removes that file: the engines do not run any more."""
    home.engines_file.unlink(missing_ok=True)
