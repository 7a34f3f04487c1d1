"""ACME's own processes, as `manage.py up` runs them: web, projectors, relay, Celery worker and beat."""

from __future__ import annotations

import http.client
import sys
from collections.abc import Mapping
from pathlib import Path

from acme.devstack.home import Home
from acme.devstack.ports import LOOPBACK, free_port
from acme.devstack.process import Program
from acme.devstack.supervisor import Service

PROJECT = Path(__file__).resolve().parent.parent.parent
PYTHON = sys.executable
MANAGE = (PYTHON, "manage.py")
WEB = "web"
ADMIN_PASSWORD = "ACME_ADMIN_PASSWORD"  # noqa: S105 (the variable's name)
ENGINES = ("postgres", "kafka", "mongodb", "redis")
TIER = 1  # stopped before the engines


def app_services(home: Home, more: Mapping[str, str], *, port: int, projectors: int) -> list[Service]:
    """What a shop needs beside its engines. `projectors`: how many processes share the partitions."""
    project = (*MANAGE, "projector", "run", "--all")
    commands: list[tuple[str, tuple[str, ...], tuple[str, ...]]] = [
        *((f"projector-{number}", project, ("postgres", "kafka", "mongodb")) for number in range(1, projectors + 1)),
        ("relay", (*MANAGE, "relay"), ("postgres", "kafka")),
        ("worker", (*_celery("worker"), "--pool", "threads", "--concurrency", "2"), ("postgres", "mongodb", "redis")),
        ("beat", (*_celery("beat"), "--schedule", str(home.data("beat"))), ("redis",)),
    ]
    return [
        _web(home, more, port),
        *(
            Service(
                program=_daemon(home, name, argv, more),
                where=" ".join(argv[1:] if argv[1] == "manage.py" else ("celery", name)),
                needs=needs,
                tier=TIER,
            )
            for name, argv, needs in commands
        ),
    ]


def environment(home: Home) -> dict[str, str]:
    """What every process and step of this shop gets beside our own environment."""
    return {"ACME_HOME": str(home.root), "DJANGO_SETTINGS_MODULE": "acme.settings", "PYTHONUNBUFFERED": "1"}


def program(
    home: Home,
    name: str,
    argv: tuple[str, ...],
    *,
    log: Path | None,
    port: int | None = None,
    more: Mapping[str, str] | None = None,
) -> Program:
    """A program of ACME, run in the project's directory for this home. `more`: variables of its own."""
    return Program(name=name, argv=argv, log=log, env={**environment(home), **(more or {})}, cwd=PROJECT, port=port)


def _daemon(home: Home, name: str, argv: tuple[str, ...], more: Mapping[str, str]) -> Program:
    """Its port is the one on which it shows its metrics."""
    port = free_port()
    shown = {"ACME_METRICS_PORT": str(port), "ACME_METRICS_ADDRESS": LOOPBACK}
    return program(home, name, argv, log=home.log(name), port=port, more={**more, **shown})


def _celery(command: str) -> tuple[str, ...]:
    return (PYTHON, "-m", "celery", "-A", "acme", command, "--loglevel", "WARNING")


def _web(home: Home, more: Mapping[str, str], port: int) -> Service:
    bind = f"{LOOPBACK}:{port}"
    options = ("--config", "python:acme.http.server", "--bind", bind, "--no-control-socket")
    argv = (PYTHON, "-m", "gunicorn", *options, "acme.wsgi")
    return Service(
        program=program(home, WEB, argv, log=home.log(WEB), port=port, more=more),
        where=f"http://{bind}",
        answers=lambda: answers(port),
        needs=("postgres", "mongodb"),
        tier=TIER,
    )


def answers(port: int) -> bool:
    """True when the web server says that its process is well."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
