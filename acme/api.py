"""/api/v1/: one address space. GET and HEAD go to the query side, other methods to the command side, by ACME_ROLE."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import URLPattern, path
from django.views.decorators.csrf import csrf_exempt

from acme.http.problems import not_found, problem_response
from acme.http.routes import PREFIX, Route

#: Modules with a list ROUTES, by side. Named here and imported on demand: a query host never loads the write side,
#: unless somebody asks it for the OpenAPI document of both.
COMMAND_MODULES: tuple[str, ...] = (
    "commands.catalog.api",
    "commands.inventory.api",
    "commands.customers.api",
    "commands.carts.api",
    "commands.orders.api",
)
QUERY_MODULES: tuple[str, ...] = ("queries.api.routes",)


@cache
def routes(module: str) -> tuple[Route, ...]:
    """The routes of one module."""
    return tuple(import_module(module).ROUTES)


def mounted() -> list[Route]:
    """The routes that this process answers."""
    modules = (
        *(COMMAND_MODULES if settings.SERVES_COMMANDS else ()),
        *(QUERY_MODULES if settings.SERVES_QUERIES else ()),
    )
    return [route for module in modules for route in routes(module)]


def url_patterns(of: list[Route]) -> list[URLPattern]:
    """One URL pattern per address, the ones with fewer parameters first, so that a fixed name wins over a parameter."""
    addresses: dict[str, dict[str, Route]] = {}
    for route in of:
        methods = addresses.setdefault(route.shape, {})
        if route.method in methods:
            raise ValueError(f"{route.method} {route.path} is listed twice")
        methods[route.method] = route
    ordered = sorted(addresses, key=lambda shape: [segment.startswith("<") for segment in shape.split("/")])
    return [path(PREFIX + shape, address(addresses[shape])) for shape in ordered]


def address(methods: dict[str, Route]) -> Callable[..., HttpResponseBase]:
    """The view of one address: chooses by method; others are a 405, and OPTIONS says which there are."""
    allowed = ", ".join(sorted({*methods, "OPTIONS", *({"HEAD"} if "GET" in methods else ())}))

    @csrf_exempt  # the API knows no cookies
    def dispatch(request: HttpRequest, **segments: str) -> HttpResponseBase:
        if request.method == "OPTIONS":
            return HttpResponse(status=204, headers={"Allow": allowed})
        route = methods.get("GET" if request.method == "HEAD" else request.method or "")
        if route is None:
            detail = f"{(request.method or '')[:20]} is not possible here, only {allowed}."
            return problem_response(request, 405, "method-not-allowed", detail, headers={"Allow": allowed})
        values = route.convert(segments)
        if values is None:
            return not_found(request)
        response = route.callback(request, **values)
        response.headers["Allow"] = allowed  # REST framework knows the methods of one side only
        return response

    return dispatch


def schema_endpoints(endpoints: Any) -> list[tuple[str, str, str, Any]]:
    """drf-spectacular's hook: (path, path in Django's notation, method, view) of both sides on any host."""
    found = []
    for module in (*COMMAND_MODULES, *QUERY_MODULES):
        for route in routes(module):
            shown = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route.path)
            found.append((f"/{PREFIX}{shown}", f"/{PREFIX}{route.path}", route.method, route.callback))
    return found
