"""A scrape never fails and never hangs; a port that is taken is said once and ends nothing."""

from __future__ import annotations

import logging
import socket
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace

import pytest
from prometheus_client import generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric

from acme import exposition
from acme.devstack.ports import free_port
from acme.env import env
from acme.exposition import Source, StateCollector, registry, start_exposition
from commands.outbox.metrics import OUTBOX_STATE
from projections.metrics import PROJECTIONS_STATE


def answering(name: str) -> Source:
    return Source(name, lambda: [GaugeMetricFamily(f"test_{name}", "Test.", value=7)])


def failing() -> list[Metric]:
    raise OSError("the engine is gone\nsecond line")


@pytest.fixture
def silent() -> Iterator[Source]:
    """It never answers while the test runs."""
    end = threading.Event()

    def wait() -> list[Metric]:
        end.wait(60)
        return [GaugeMetricFamily("test_late", "Test.", value=1)]

    yield Source("silent", wait)
    end.set()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exposition, "SECONDS", 0.2)


def sample(text: str, series: str) -> float | None:
    found = [line.rpartition(" ")[2] for line in text.splitlines() if line.startswith(series + " ")]
    assert len(found) <= 1, found
    return float(found[0]) if found else None


def success(text: str, name: str) -> float | None:
    return sample(text, f'acme_scrape_collector_success{{collector="{name}"}}')


@pytest.mark.usefixtures("quick")
def test_a_source_that_fails_or_hangs_says_so_and_hides_no_other(silent: Source) -> None:
    asked = registry(answering("first"), Source("broken", failing), silent, answering("last"))
    started = time.monotonic()
    text = generate_latest(asked).decode()
    assert time.monotonic() - started < 1.0
    assert (sample(text, "test_first"), sample(text, "test_last")) == (7, 7)
    assert "test_late" not in text
    assert [success(text, name) for name in ("first", "broken", "silent", "last")] == [1, 0, 0, 1]
    assert "acme_http_requests_total" in text, "what this process counted is there all the same"


@pytest.mark.usefixtures("quick")
def test_a_source_that_hangs_is_not_asked_again_meanwhile(silent: Source) -> None:
    calls: list[float] = []

    def counted() -> list[Metric]:
        calls.append(time.monotonic())
        return silent.read()

    asked = registry(Source("silent", counted))
    for _ in range(5):
        assert success(generate_latest(asked).decode(), "silent") == 0
    assert len(calls) == 1
    assert len([one for one in threading.enumerate() if one.name == "metrics-silent"]) == 1


@pytest.mark.usefixtures("quick")
def test_an_answer_that_came_too_late_is_not_shown_as_the_present() -> None:
    go, values = threading.Event(), iter([1, 2])

    def slow_once() -> list[Metric]:
        value = next(values)
        if value == 1:
            go.wait(60)
        return [GaugeMetricFamily("test_value", "Test.", value=value)]

    asked = registry(Source("slow", slow_once))
    assert sample(generate_latest(asked).decode(), "test_value") is None
    go.set()
    deadline = time.monotonic() + 10
    while (shown := sample(generate_latest(asked).decode(), "test_value")) is None:
        assert time.monotonic() < deadline
    assert shown == 2


def test_an_outage_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    broken = StateCollector(Source("broken", failing))
    with caplog.at_level(logging.WARNING, logger="acme.exposition"):
        for _ in range(3):
            list(broken.collect())
    assert [record.getMessage() for record in caplog.records] == [
        "metrics: the state of broken cannot be read: OSError: the engine is gone"
    ]


def test_the_sources_of_both_sides_are_found_by_name() -> None:
    assert exposition.source(exposition.READ_SIDE) is PROJECTIONS_STATE
    assert exposition.source(exposition.WRITE_SIDE) is OUTBOX_STATE


def test_without_a_port_there_is_no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exposition, "env", replace(env, metrics_port=0))
    assert start_exposition() is None


def test_a_daemon_shows_its_metrics_on_its_port(monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    monkeypatch.setattr(exposition, "env", replace(env, metrics_port=port))
    server = start_exposition(answering("first"))
    assert server is not None
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            text = answer.read().decode()
        assert sample(text, "test_first") == 7
        assert "process_resident_memory_bytes" in text
        assert server.server_address[0] == "127.0.0.1"
    finally:
        server.shutdown()
        server.server_close()


def test_a_port_in_use_is_one_line_and_no_end(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr(exposition, "env", replace(env, metrics_port=port))
        with caplog.at_level(logging.INFO, logger="acme.exposition"):
            assert start_exposition(answering("first")) is None
    (record,) = caplog.records
    assert record.getMessage().startswith(f"no metrics: port {port} of 127.0.0.1 cannot be used: ")
    assert "\n" not in record.getMessage()
    assert record.exc_info is None
