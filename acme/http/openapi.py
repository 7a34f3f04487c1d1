"""What drf-spectacular is told about our views: headers of commands, their answers, problems, and the two tokens."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers


class AccessTokenScheme(OpenApiAuthenticationExtension):
    """The access token as an HTTP bearer scheme."""

    target_class = "acme.http.authentication.AccessToken"
    name = "AccessToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


class ProblemError(serializers.Serializer):
    """One thing that is wrong: a member of the body (``pointer``), a query parameter or a header."""

    pointer = serializers.CharField(required=False, help_text="JSON pointer into the request body.")
    parameter = serializers.CharField(required=False)
    header = serializers.CharField(required=False)
    detail = serializers.CharField()
    code = serializers.CharField()


class Problem(serializers.Serializer):
    """RFC 9457 problem document."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.CharField(help_text="Stable; meant for programs.")
    request_id = serializers.CharField(allow_null=True)
    errors = ProblemError(many=True)


def problem_answers(*statuses: int) -> dict[Any, OpenApiResponse]:
    """``{(status, media type): response}`` for `extend_schema(responses=...)`."""
    return {(status, "application/problem+json"): OpenApiResponse(Problem) for status in statuses}


class Written(serializers.Serializer):
    """What every command answers: which aggregate it was about, and its version now."""

    id = serializers.UUIDField()
    version = serializers.IntegerField()


class ShopSchema(AutoSchema):
    """Summaries, which is all that a list of addresses shows, are how descriptions begin."""

    def get_summary(self) -> str | None:
        return re.split(r"[.:;](?:\s|$)", " ".join(self.get_description().split()), maxsplit=1)[0] or None


class CommandSchema(ShopSchema):
    """Describes a `commands.http.CommandView` from its declarations."""

    def get_request_serializer(self) -> Any:
        return self.view.body

    def get_override_parameters(self) -> list[OpenApiParameter]:
        view = self.view
        found = [
            _header("If-Match", "The version that was read, as an entity tag.", view.version_required),
            _header("Idempotency-Key", "A key of your own: the request is done once.", view.idempotency_required),
        ]
        if view.public:
            found.append(_header("Guest-Token", "Opens a guest's own cart or order.", False))
        found += [
            _answered("ETag", "The version now."),
            _answered("Consistency-Token", "Send it with a query that must see what this command did."),
            _answered("Idempotent-Replayed", "`true`: the kept answer of an earlier request with the same key."),
        ]
        if view.creates:
            found.append(_answered("Location", "Address of what was created."))
        return found

    def get_response_serializers(self) -> Any:
        answer = OpenApiResponse(answer_serializer(self.view.result), description="Done.")
        status = 201 if self.view.creates else 200
        return {
            (status, "application/json"): answer,
            **problem_answers(400, 401, 403, 404, 406, 409, 412, 413, 415, 422, 428, 503),
        }

    def get_serializer_name(self, serializer: serializers.Serializer, direction: Any) -> str:
        """Names of bodies begin with their slice: two slices may both have a SkuBody."""
        room, _, rest = type(serializer).__module__.partition(".")
        name = super().get_serializer_name(serializer, direction)
        return f"{rest.partition('.')[0].capitalize()}{name}" if room == "commands" else name


@cache
def answer_serializer(result: type[serializers.Serializer] | None) -> type[serializers.Serializer]:
    """The whole answer of commands whose ``result`` this is."""
    if result is None:
        return Written
    return type(result.__name__, (Written, result), {"__module__": result.__module__, "__doc__": result.__doc__})


def _header(name: str, description: str, required: bool) -> OpenApiParameter:
    return OpenApiParameter(name, str, OpenApiParameter.HEADER, required=required, description=description)


def _answered(name: str, description: str) -> OpenApiParameter:
    return OpenApiParameter(name, str, OpenApiParameter.HEADER, response=[200, 201], description=description)
