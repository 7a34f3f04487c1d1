"""/healthz: this process answers. /readyz: the engines its role needs answer too."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as Overdue
from functools import cache
from typing import Any

import msgspec
import psycopg
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from pymongo import MongoClient

from acme.env import env
from acme.http.problems import RETRY_AFTER, problem_response

TIMEOUT_MS = 1000  # of each check
_KAFKA_TIMEOUT_MS = 500


def healthz(request: HttpRequest) -> HttpResponse:
    """200 as long as the process answers; asks no engine."""
    return _json({"status": "ok", "role": settings.ROLE})


def readyz(request: HttpRequest) -> HttpResponse:
    """200 when every engine that the role needs answers within `TIMEOUT_MS`, else 503 saying which does not."""
    wanted: list[tuple[str, bool, Callable[[], None]]] = []
    if settings.SERVES_COMMANDS:
        wanted += [("postgresql", True, _postgresql), ("kafka", False, _kafka)]
    if settings.SERVES_QUERIES:
        wanted += [("mongodb", True, _mongodb)]
    started = time.monotonic()
    running = [(name, required, _threads().submit(_timed, check)) for name, required, check in wanted]
    engines = {name: {"required": required, **_outcome(future, started)} for name, required, future in running}
    down = [name for name, engine in engines.items() if engine["required"] and engine["status"] != "up"]
    if down:
        detail = f"down: {', '.join(down)}"
        headers = {"Retry-After": RETRY_AFTER}
        return problem_response(request, 503, "not-ready", detail, headers=headers, role=settings.ROLE, engines=engines)
    return _json({"status": "ready", "role": settings.ROLE, "engines": engines})


def _json(body: dict[str, Any]) -> HttpResponse:
    return HttpResponse(
        msgspec.json.encode(body), content_type="application/json", headers={"Cache-Control": "no-store"}
    )


@cache
def _threads() -> ThreadPoolExecutor:
    """Made at the first check, so after a pre-forking server has forked."""
    return ThreadPoolExecutor(max_workers=6, thread_name_prefix="readyz")


def _timed(check: Callable[[], None]) -> float:
    start = time.monotonic()
    check()
    return round((time.monotonic() - start) * 1000, 1)


def _outcome(future: Future[float], started: float) -> dict[str, Any]:
    """``status`` up, down or overdue, with milliseconds or the kind of error; no address or credential is shown."""
    left = max(0.0, TIMEOUT_MS / 1000 - (time.monotonic() - started))
    try:
        return {"status": "up", "milliseconds": future.result(timeout=left)}
    except Overdue:
        future.cancel()
        return {"status": "down", "reason": f"no answer in {TIMEOUT_MS} ms"}
    except Exception as error:
        return {"status": "down", "reason": type(error).__name__}


def _postgresql() -> None:
    # libpq knows whole seconds only, two at least: the caller's own time-out is the one that counts.
    with psycopg.connect(env.require("database_url"), connect_timeout=2, options="-c statement_timeout=1000") as link:
        link.execute("SELECT 1")


@cache
def _mongo_client() -> MongoClient[dict[str, Any]]:
    return MongoClient(
        env.require("mongodb_url"),
        serverSelectionTimeoutMS=TIMEOUT_MS,
        connectTimeoutMS=TIMEOUT_MS,
        socketTimeoutMS=TIMEOUT_MS,
        maxPoolSize=4,
        appname="acme-readyz",
    )


def _mongodb() -> None:
    _mongo_client().admin.command("ping")


def _kafka() -> None:
    """Only whether a broker accepts connections: events wait in the log meanwhile, so it decides nothing."""
    host, _, port = env.require("kafka_bootstrap_servers").split(",")[0].rpartition(":")
    socket.create_connection((host.strip("[]"), int(port)), timeout=_KAFKA_TIMEOUT_MS / 1000).close()
