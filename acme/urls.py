"""All addresses: the API, its documents, health, and for the write side the admin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpResponseBase
from django.urls import URLPattern, URLResolver, path, re_path
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from acme.api import address, mounted, url_patterns
from acme.http.health import healthz, readyz
from acme.http.problems import not_found
from acme.http.routes import Route

handler400 = "acme.http.problems.bad_request"
handler403 = "acme.http.problems.permission_denied"
handler404 = "acme.http.problems.not_found"
handler500 = "acme.http.problems.server_error"


def _page(view: Any) -> Callable[..., HttpResponseBase]:
    """Something that can only be read."""
    return address({"GET": Route("", "GET", view)})


urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", _page(healthz)),
    path("readyz", _page(readyz)),
    path("api/schema", _page(SpectacularAPIView), name="schema"),
    path("api/docs", _page(SpectacularSwaggerView), name="docs"),
    *url_patterns(mounted()),
    re_path(r"^api(/|$)", csrf_exempt(not_found)),
    path("", RedirectView.as_view(pattern_name="docs")),
]

if settings.SERVES_COMMANDS:
    from django.contrib import admin

    urlpatterns += [path("admin", RedirectView.as_view(pattern_name="admin:index")), path("admin/", admin.site.urls)]
