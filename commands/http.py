"""`CommandView`: one HTTP write. It reads the request strictly, builds the command and lets `handling.execute` do it.

A slice's view declares its body, its handler and how the two meet; see `commands/inventory/api.py` for an example.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.http import HttpResponse
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView

from acme.errors import VersionRequired
from acme.http.authentication import actor_of
from acme.http.fields import StrictSerializer
from acme.http.openapi import CommandSchema
from acme.http.parameters import refuse_parameters
from acme.http.problems import HttpError
from acme.http.rendering import to_json
from acme.http.routes import PREFIX
from acme.identity import Actor
from acme.token import Written, encode_token
from commands.handling import Done, UnitOfWork, execute
from commands.idempotency import Answer, Lease, fingerprint, once, scope_of
from commands.preconditions import idempotency_key, if_match


class CommandView(APIView):
    """Base of the write side's views. The docstring of a subclass is its description in the OpenAPI document."""

    schema = CommandSchema()
    #: Shape of the request body.
    body: ClassVar[type[StrictSerializer]]
    #: ``handler(command, *, actor, now) -> Done``, as a staticmethod.
    handler: ClassVar[Callable[..., Done]]
    idempotency_required: ClassVar[bool] = False
    version_required: ClassVar[bool] = False
    creates: ClassVar[bool] = False
    public: ClassVar[bool] = False
    #: Shape of what the response has beside id and version, for the OpenAPI document; None where there is nothing.
    result: ClassVar[type[Any] | None] = None

    def get_permissions(self) -> list[Any]:
        return [AllowAny() if self.public else IsAuthenticated()]

    def command(self, data: dict[str, Any], *, actor: Actor, expected_version: int | None, **path: Any) -> Any:
        """The command that the validated body and the path parameters ask for."""
        raise NotImplementedError

    def location(self, done: Done) -> str:
        """Address of what was created."""
        collection = self.request.path.removeprefix(f"/{PREFIX}").partition("/")[0]
        return f"/{PREFIX}{collection}/{done.id}"

    def post(self, request: Request, **path: Any) -> HttpResponse:
        return self._carry_out(request, path)

    def patch(self, request: Request, **path: Any) -> HttpResponse:
        return self._carry_out(request, path)

    def _carry_out(self, request: Request, path: dict[str, Any]) -> HttpResponse:
        refuse_parameters(request)
        actor = actor_of(request)
        condition = if_match(request)
        if condition is None and self.version_required:
            raise VersionRequired("send the version that was read as If-Match")
        key = idempotency_key(request, required=self.idempotency_required)
        form = self.body(data=_body(request), context={"request": request})
        form.is_valid(raise_exception=True)
        command = self.command(
            form.validated_data, actor=actor, expected_version=condition.version if condition else None, **path
        )
        if key is None:
            return _respond(self._execute(command, actor))
        answer, replayed = once(
            scope_of(actor),
            key,
            fingerprint(request.method or "", request.path, request.data),
            lambda lease: self._execute(command, actor, lease),
        )
        response = _respond(answer)
        if replayed:
            response["Idempotent-Replayed"] = "true"
        return response

    def _execute(self, command: Any, actor: Actor, lease: Lease | None = None) -> Answer:
        answers: list[Answer] = []

        def finish(done: Done, unit: UnitOfWork) -> None:
            answers.append(self._answer(done, unit.written))
            if lease is not None:
                lease.keep(answers[-1])

        execute(type(self).handler, command, actor=actor, finish=finish)
        return answers[-1]

    def _answer(self, done: Done, written: list[Written]) -> Answer:
        headers = {"ETag": f'"{done.version}"', "Consistency-Token": encode_token(written)}
        if self.creates:
            headers["Location"] = self.location(done)
        body = to_json({"id": done.id, "version": done.version, **done.result}).decode()
        return Answer(201 if self.creates else 200, headers, body)


def _body(request: Request) -> dict[str, Any]:
    """The JSON object of the body; an empty body is an empty object."""
    if "Transfer-Encoding" in request.headers and "Content-Length" not in request.headers:
        raise HttpError(411, "length-required", "A body needs a Content-Length.")
    return request.data


def _respond(answer: Answer) -> HttpResponse:
    headers = {**answer.headers, "Cache-Control": "no-store"}  # it may hold a guest's token
    return HttpResponse(answer.body, status=answer.status, content_type="application/json", headers=headers)
