"""Requests counted, and /metrics for Prometheus: not for the public, and not part of the API.

/metrics is answered before anything looks at the Host header, because Prometheus asks containers by their address.
"""

from __future__ import annotations

import hmac
import re
import time
from collections.abc import Callable
from functools import cache
from ipaddress import ip_address

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from acme.env import env
from acme.exposition import READ_SIDE, WRITE_SIDE, registry, source
from acme.http.problems import problem_response
from acme.http.routes import PREFIX
from acme.metrics import HTTP_REQUESTS, HTTP_SECONDS

PATH = "/metrics"
#: What a proxy adds to the requests that it hands on.
FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip", "Via")
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
_PARAMETER = re.compile(r"<[^>]*>")

GetResponse = Callable[[HttpRequest], HttpResponse]


class Measured:
    """Middleware: counts every request and its seconds, by the address's template and never by the address."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        response = self.get_response(request)
        labels = (side(request), request.method if request.method in METHODS else "other", route(request))
        HTTP_REQUESTS.labels(*labels, f"{response.status_code // 100}xx").inc()
        HTTP_SECONDS.labels(*labels).observe(time.perf_counter() - started)
        return response


def side(request: HttpRequest) -> str:
    """Of the API that of the method; admin; other for everything else."""
    if request.path.startswith(f"/{PREFIX}"):
        return "query" if request.method in {"GET", "HEAD"} else "command"
    return "admin" if request.path.startswith("/admin") else "other"


def route(request: HttpRequest) -> str:
    """The address with {} for each parameter; ``static``, ``/metrics`` or ``unmatched`` where no view was found."""
    match = request.resolver_match
    if match is not None and not {"^", "("} & set(match.route):  # what takes everything is no address
        return "/" + _PARAMETER.sub("{}", match.route)
    if request.path == PATH:
        return PATH
    return "static" if request.path.startswith(settings.STATIC_URL) else "unmatched"


class MetricsPage:
    """Middleware: answers /metrics, or refuses; everything else goes on."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info != PATH:
            return self.get_response(request)
        if request.method not in {"GET", "HEAD"}:
            headers = {"Allow": "GET, HEAD"}
            return problem_response(request, 405, "method-not-allowed", "Metrics are only read.", headers=headers)
        if not may_scrape(request):
            return problem_response(request, 403, "forbidden", "Metrics are not shown to everybody.")
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return HttpResponse(encode(_registry()), content_type=content_type, headers={"Cache-Control": "no-store"})


def may_scrape(request: HttpRequest) -> bool:
    """With ACME_METRICS_TOKEN: whoever shows it. Without: clients on this machine that no proxy stands before."""
    if env.metrics_token:
        shown = request.headers.get("Authorization", "").encode()
        return hmac.compare_digest(shown, f"Bearer {env.metrics_token}".encode())
    if env.proxies or any(name in request.headers for name in FORWARDED):
        return False
    try:
        request.get_host()  # a page in this machine's browser that gave its own name our address is no client of ours
        return ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except (DisallowedHost, ValueError):
        return False


@cache
def _registry() -> CollectorRegistry:
    """Made at the first scrape, so after a pre-forking server has forked."""
    names = [
        *([READ_SIDE] if settings.SERVES_QUERIES else []),
        *([WRITE_SIDE] if settings.SERVES_COMMANDS else []),
    ]
    return registry(*(source(name) for name in names))
