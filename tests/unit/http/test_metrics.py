"""/metrics: who may read it, what it counts, and that it is no part of the API."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory
from prometheus_client import REGISTRY

from acme.env import env
from acme.exposition import registry
from acme.http import metrics

TOKEN = "a-token-of-the-tests"
OUTSIDE = "203.0.113.9"


@pytest.fixture(autouse=True)
def _no_engines(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the engines hold is tested where there are some."""
    monkeypatch.setattr(metrics, "_registry", registry)


@pytest.fixture
def with_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "env", replace(env, metrics_token=TOKEN))


def scrape(address: str = "127.0.0.1", **headers: str) -> Any:
    return Client().get("/metrics", REMOTE_ADDR=address, headers=headers)


def is_refused(response: Any) -> bool:
    if response.status_code == 200:
        return False
    assert (response.status_code, response["Content-Type"]) == (403, "application/problem+json")
    body = response.json()
    assert (body["status"], body["code"], body["request_id"]) == (403, "forbidden", response["X-Request-Id"])
    assert b"acme_" not in response.content
    return True


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.0.1", "::1"])
def test_this_machine_may_read_them(address: str) -> None:
    response = scrape(address)
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/plain; version=")
    assert response["Cache-Control"] == "no-store"
    assert b"# TYPE acme_http_requests_total counter" in response.content


@pytest.mark.parametrize("address", [OUTSIDE, "10.0.0.7", "2001:db8::7", "", "unix:"])
def test_an_outsider_is_refused(address: str) -> None:
    assert is_refused(scrape(address))


@pytest.mark.parametrize("header", metrics.FORWARDED)
def test_what_a_proxy_hands_on_is_refused(header: str) -> None:
    assert is_refused(scrape(**{header: "127.0.0.1"}))


def test_behind_a_proxy_of_our_own_nobody_is_local(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "env", replace(env, proxies=1))
    assert is_refused(scrape())


def test_a_page_that_took_our_address_is_refused() -> None:
    """A name of its own that leads to 127.0.0.1: the browser of this machine would be allowed to read the answer."""
    assert is_refused(scrape(Host="rebound.example"))


@pytest.mark.usefixtures("with_token")
@pytest.mark.parametrize(
    "shown", ["", TOKEN, f"Basic {TOKEN}", "Bearer", "Bearer ", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", "Bearer ü"]
)
def test_without_the_token_this_machine_is_refused_too(shown: str) -> None:
    assert is_refused(scrape(**({"Authorization": shown} if shown else {})))


@pytest.mark.usefixtures("with_token")
def test_with_the_token_prometheus_may_ask_by_address() -> None:
    response = scrape("172.18.0.5", Authorization=f"Bearer {TOKEN}", Host="172.18.0.9:8000")
    assert response.status_code == 200


@pytest.mark.parametrize("guard", ["proxies", "loopback", "token"])
def test_a_missing_guard_is_noticed(guard: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The refusals above come from the guards and from nothing else."""
    if guard == "token":
        monkeypatch.setattr(metrics, "env", replace(env, metrics_token=TOKEN))
        monkeypatch.setattr(metrics.hmac, "compare_digest", lambda shown, expected: True)
        assert not is_refused(scrape(OUTSIDE))
    elif guard == "proxies":
        monkeypatch.setattr(metrics, "FORWARDED", ())
        assert not is_refused(scrape(**{"X-Forwarded-For": OUTSIDE}))
    else:
        monkeypatch.setattr(metrics, "may_scrape", lambda request: True)
        assert not is_refused(scrape(OUTSIDE))


@pytest.mark.parametrize("method", ["post", "put", "delete", "options"])
def test_it_is_only_read(method: str) -> None:
    response = getattr(Client(), method)("/metrics")
    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD")


def test_head_has_no_body() -> None:
    response = Client().head("/metrics")
    assert (response.status_code, response.content) == (200, b"")


def test_it_is_not_in_the_public_document() -> None:
    from acme.api import mounted

    assert not [route for route in mounted() if "metrics" in route.path]
    assert "/metrics" not in Client().get("/api/schema", headers={"Accept": "application/json"}).content.decode()


def count(**labels: str) -> float:
    return REGISTRY.get_sample_value("acme_http_requests_total", labels) or 0.0


@pytest.mark.parametrize(
    ("path", "labels"),
    [
        ("/healthz", {"side": "other", "route": "/healthz", "status": "2xx"}),
        ("/metrics", {"side": "other", "route": "/metrics", "status": "2xx"}),
        ("/static/nothing.css", {"side": "other", "route": "static", "status": "4xx"}),
        ("/api/v1/nothing/at/all", {"side": "query", "route": "unmatched", "status": "4xx"}),
        ("/admin/no/such/page/", {"side": "admin", "route": "unmatched", "status": "3xx"}),
        ("/admin/login/", {"side": "admin", "route": "/admin/login/", "status": "2xx"}),
        ("/wp-login.php", {"side": "other", "route": "unmatched", "status": "4xx"}),
        ("/api/v1/carts/0", {"side": "query", "route": "/api/v1/carts/{}", "status": "4xx"}),
        ("/api/v1/carts/1", {"side": "query", "route": "/api/v1/carts/{}", "status": "4xx"}),
    ],
)
def test_requests_are_counted_by_the_address_template(path: str, labels: dict[str, str]) -> None:
    before = count(method="GET", **labels)
    Client().get(path)
    assert count(method="GET", **labels) == before + 1
    timed = {name: labels[name] for name in ("side", "route")}
    assert REGISTRY.get_sample_value("acme_http_request_seconds_count", {"method": "GET", **timed})


def test_no_client_makes_a_series_of_its_own() -> None:
    """Neither by an address nor by a method."""
    before = {sample.name + str(sample.labels) for metric in REGISTRY.collect() for sample in metric.samples}
    for number in range(20):
        Client().get(f"/no/such/place/{number}")
        Client().generic(f"VERB{number}", f"/api/v1/carts/{number}")
    after = {sample.name + str(sample.labels) for metric in REGISTRY.collect() for sample in metric.samples}
    made = {series for series in after - before if "acme_http_requests_total" in series}
    assert len(made) <= 2, made


def test_a_request_that_fails_is_counted_too() -> None:
    request = RequestFactory().get("/healthz")
    labels = {"side": "other", "method": "GET", "route": "unmatched", "status": "5xx"}
    before = count(**labels)
    metrics.Measured(lambda _: HttpResponse(status=503))(request)
    assert count(**labels) == before + 1
