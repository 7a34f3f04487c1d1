"""Pages of requests: what was asked of the workers, by whom, and what came of it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse

from projections.admin.pages import StorePages, may, page
from projections.models import OperatorRequest
from projections.runtime.letterbox import Store
from projections.runtime.requests import REQUESTS, Progress, Refused, progress

PER_PAGE = 50
REFRESH = 2  # seconds between two looks at a request that is under way


class RequestList:
    """For Django's paginator; the latest first."""

    def __init__(self, store: Store) -> None:
        self._collection = store[REQUESTS]

    def count(self) -> int:
        return self._collection.count_documents({})

    __len__ = count

    def __getitem__(self, part: slice) -> list[dict[str, Any]]:
        start, stop = part.start or 0, part.stop or 0
        rows = self._collection.find().sort("_id", -1).skip(start).limit(max(1, stop - start))
        return [{**row, "id": row["_id"]} for row in rows]


@admin.register(OperatorRequest)
class OperatorRequestAdmin(StorePages):
    """Requests of the last thirty days."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request, "view_deadletter")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("", view(self.list_page), name="projections_operatorrequest_changelist"),
            path("<path:request_id>/change/", view(self.one_page), name="projections_operatorrequest_change"),
        ]

    @page()
    def list_page(self, request: HttpRequest, store: Store) -> HttpResponse:
        paginator = Paginator(RequestList(store), PER_PAGE)
        current = paginator.get_page(request.GET.get("page"))
        rows = [{**row, "progress": progress(store, row["_id"])} for row in current.object_list]
        pages = list(paginator.get_elided_page_range(current.number, on_each_side=2, on_ends=1))
        return self.shown(request, "requests", title="Requests", current=current, pages=pages, rows=rows)

    @page()
    def one_page(self, request: HttpRequest, store: Store, request_id: str) -> HttpResponse:
        key = unquote(request_id)
        asked = store[REQUESTS].find_one({"_id": key})
        try:
            latest = progress(store, key)
        except Refused as error:
            messages.warning(request, f"{error}.")
            return HttpResponseRedirect(reverse("admin:projections_operatorrequest_changelist"))
        answer = self.shown(
            request,
            "request",
            title=f"{latest.action.capitalize()} in {latest.projection}",
            asked=asked,
            progress=latest,
            share=_share(latest),
        )
        if answer.context_data and answer.context_data["refresh"]:
            answer.context_data["refresh"] = None if latest.finished else REFRESH
        return answer


def _share(latest: Progress) -> int:
    """Percent that is no longer waiting."""
    return 100 if latest.finished else round(100 * (latest.total - latest.waiting) / max(1, latest.total))
