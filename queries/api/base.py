"""What every query does: wait for a consistency token, say as of when it answers, and answer plain JSON or a 304."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any, ClassVar

import msgspec
from django.http import HttpResponse, HttpResponseBase
from django.utils.http import parse_etags
from rest_framework.request import Request
from rest_framework.views import APIView
from rest_framework.viewsets import ViewSetMixin

from acme.http.authentication import actor_of
from acme.http.problems import header_invalid
from acme.token import InvalidToken, Written, decode_token
from queries.api.problems import read_model_behind, read_model_stopped
from queries.asof import as_of, as_of_header, earliest
from queries.documents.categories import CategoryDocument
from queries.freshness import Stopped, wait_until_fresh
from queries.preferences import read_preferences
from queries.tree import Tree, category_tree

VARY = "Authorization, Guest-Token, Accept-Encoding"
JSON_TYPE = "application/json"


class QueryViewSet(ViewSetMixin, APIView):
    """Base of the queries. ``read_models``: the projections whose documents the answer is made of."""

    read_models: ClassVar[tuple[str, ...]] = ()
    known_as_of: datetime | None = None
    consistency: str | None = None
    preference_applied = ""
    _tree: Tree | None = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Permissions first, then the wait; As-Of is looked up before anything is read, so it never says too much."""
        super().initial(request, *args, **kwargs)
        token = request.headers.get("Consistency-Token")
        if token is not None:
            self._wait(request, token)
        moments = [as_of(name) for name in self.read_models if name != CategoryDocument.projection]
        if CategoryDocument.projection in self.read_models:
            moments.append(self.tree.as_of)
        self.known_as_of = earliest(moments)

    @property
    def tree(self) -> Tree:
        """The category tree, the same one during the whole request."""
        if self._tree is None:
            self._tree = category_tree()
        return self._tree

    def _wait(self, request: Request, token: str) -> None:
        written = _written(token)
        preferences = read_preferences(request.headers.get("Prefer"))
        self.preference_applied = preferences.applied
        try:
            freshness = wait_until_fresh(written, self.read_models, seconds=preferences.wait)
        except Stopped as stopped:
            if not preferences.lenient:
                raise read_model_stopped(stopped, show_error=actor_of(request).is_staff) from stopped
            self.consistency = "behind"
        else:
            if not freshness.current and not preferences.lenient:
                raise read_model_behind(freshness)
            self.consistency = "current" if freshness.current else "behind"
        if CategoryDocument.projection in self.read_models:
            self._tree = category_tree(fresh=True)

    def finalize_response(
        self, request: Request, response: HttpResponseBase, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        response = super().finalize_response(request, response, *args, **kwargs)
        response["As-Of"] = as_of_header(self.known_as_of)
        response["Vary"] = VARY
        response["Cache-Control"] = "private, no-cache"
        if self.consistency:
            response["Consistency"] = self.consistency
        if self.preference_applied:
            response["Preference-Applied"] = self.preference_applied
        return response


def _written(token: str) -> list[Written]:
    try:
        return decode_token(token)
    except InvalidToken as error:
        raise header_invalid("Consistency-Token", f"cannot be used: {error}") from error


def answer(data: Any) -> HttpResponse:
    """Plain values (strings, numbers, lists, dicts, aware times in UTC) as JSON."""
    return HttpResponse(msgspec.json.encode(data), content_type=JSON_TYPE)


def answer_document(request: Request, version: int, data: Any) -> HttpResponse:
    """One document with ``ETag: "<version>-<digest>"``; 304 when If-None-Match names it."""
    body = msgspec.json.encode(data)
    etag = f'"{version}-{hashlib.blake2b(body, digest_size=8).hexdigest()}"'
    asked = parse_etags(request.headers.get("If-None-Match", ""))
    if asked == ["*"] or etag in (tag.removeprefix("W/") for tag in asked):
        return HttpResponse(status=304, headers={"ETag": etag})
    return HttpResponse(body, content_type=JSON_TYPE, headers={"ETag": etag})
