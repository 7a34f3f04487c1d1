"""/healthz and /readyz with engines that run, are gone, and are silent."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from acme.env import env
from acme.http import health


@pytest.fixture(autouse=True)
def _own_client() -> Iterator[None]:
    health._mongo_client.cache_clear()
    yield
    health._mongo_client().close()
    health._mongo_client.cache_clear()


def role(settings: Any, name: str) -> None:
    settings.ROLE = name
    settings.SERVES_COMMANDS = name in {"all", "command"}
    settings.SERVES_QUERIES = name in {"all", "query"}


def test_healthz_asks_nobody(client: Any, monkeypatch: pytest.MonkeyPatch, gone: str) -> None:
    _engines(monkeypatch, gone)
    response = client.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok", "role": "all"})


@pytest.mark.usefixtures("postgres", "mongo", "kafka")
def test_ready_when_its_engines_answer(client: Any) -> None:
    response = client.get("/readyz")
    body = response.json()
    assert (response.status_code, body["status"]) == (200, "ready"), body
    assert {name: engine["status"] for name, engine in body["engines"].items()} == {
        "postgresql": "up",
        "kafka": "up",
        "mongodb": "up",
    }
    assert all(0 <= engine["milliseconds"] < health.TIMEOUT_MS for engine in body["engines"].values())


@pytest.mark.usefixtures("postgres")
def test_a_command_host_needs_postgresql_alone(
    client: Any, settings: Any, monkeypatch: pytest.MonkeyPatch, gone: str
) -> None:
    monkeypatch.setattr(health, "env", replace(env, kafka_bootstrap_servers=gone, mongodb_url=f"mongodb://{gone}/x"))
    role(settings, "command")
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json()["engines"].keys() == {"postgresql", "kafka"}
    assert response.json()["engines"]["kafka"] == {
        "required": False,
        "status": "down",
        "reason": "ConnectionRefusedError",
    }


@pytest.mark.usefixtures("mongo")
def test_a_query_host_needs_mongodb_alone(
    client: Any, settings: Any, monkeypatch: pytest.MonkeyPatch, gone: str
) -> None:
    monkeypatch.setattr(health, "env", replace(env, database_url=None, kafka_bootstrap_servers=gone))
    role(settings, "query")
    response = client.get("/readyz")
    assert response.status_code == 200, response.json()
    assert response.json()["engines"].keys() == {"mongodb"}


@pytest.mark.parametrize("name", ["silent", "gone"])
def test_not_ready_within_a_short_time(
    client: Any, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, name: str
) -> None:
    _engines(monkeypatch, request.getfixturevalue(name))
    start = time.monotonic()
    response = client.get("/readyz")
    body = response.json()
    assert time.monotonic() - start < health.TIMEOUT_MS / 1000 + 0.5
    assert response.status_code == 503
    assert response["Content-Type"] == "application/problem+json"
    assert body["code"] == "not-ready"
    assert body["detail"] == "down: postgresql, mongodb"
    assert {engine["status"] for engine in body["engines"].values()} >= {"down"}
    assert "127.0.0.1" not in response.content.decode()


def test_nothing_is_configured(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = replace(env, database_url=None, mongodb_url=None, kafka_bootstrap_servers=None)
    with monkeypatch.context() as patch:
        patch.setattr(health, "env", nothing)
        response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["engines"]["postgresql"]["reason"] == "EngineNotConfigured"


def _engines(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    everywhere = replace(
        env,
        database_url=f"postgresql://x@{address}/x",
        mongodb_url=f"mongodb://{address}/x",
        kafka_bootstrap_servers=address,
    )
    monkeypatch.setattr(health, "env", everywhere)
