"""All addresses: the API, its documents, health, and for the write side the admin."""

from __future__ import annotations

from django.conf import settings
from django.urls import URLPattern, URLResolver, path, re_path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from acme.api import mounted, url_patterns
from acme.http.health import healthz, readyz
from acme.http.problems import not_found

handler400 = "acme.http.problems.bad_request"
handler403 = "acme.http.problems.permission_denied"
handler404 = "acme.http.problems.not_found"
handler500 = "acme.http.problems.server_error"

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", healthz),
    path("readyz", readyz),
    path("api/schema", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs", SpectacularSwaggerView.as_view(url_name="schema"), name="docs"),
    *url_patterns(mounted()),
    re_path(r"^api(/|$)", not_found),
    path("", RedirectView.as_view(pattern_name="docs")),
]

if settings.SERVES_COMMANDS:
    from django.contrib import admin

    urlpatterns.append(path("admin/", admin.site.urls))
