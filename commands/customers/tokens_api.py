"""POST auth/login and auth/refresh: credentials or a refresh token for new tokens.

They change nothing and need no consistency token, so they are no commands.
"""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from acme.errors import NotAuthenticated
from acme.http.fields import StrictSerializer, Text
from acme.http.openapi import problem_answers
from acme.http.parameters import refuse_parameters
from commands.customers.login import Tokens, log_in, refresh
from commands.customers.register_customer import PASSWORD_LENGTH
from commands.customers.throttle import PerClient, PerEmail
from commands.texts import EMAIL_LENGTH


class LoginBody(StrictSerializer):
    email = Text(max_length=EMAIL_LENGTH)
    password = Text(max_length=PASSWORD_LENGTH, trim_whitespace=False)


class RefreshBody(StrictSerializer):
    refresh = Text(max_length=4096)


class TokensAnswer(serializers.Serializer):
    """Two signed JWTs: send ``access`` as ``Authorization: Bearer …``; keep ``refresh`` for the next pair."""

    access = serializers.CharField()
    refresh = serializers.CharField()


ANSWERS = {(200, "application/json"): TokensAnswer, **problem_answers(400, 401, 406, 413, 415, 503)}


class TokenView(APIView):
    """Base: anybody may ask, and no cache may keep the answer."""

    authentication_classes: ClassVar[list[Any]] = []
    permission_classes = (AllowAny,)
    body: type[StrictSerializer]

    def tokens(self, request: Request, values: dict[str, Any]) -> Tokens:
        raise NotImplementedError

    def answer(self, request: Request) -> Response:
        refuse_parameters(request)
        body = self.body(data=request.data)
        body.is_valid(raise_exception=True)
        tokens = self.tokens(request, body.validated_data)
        return Response({"access": tokens.access, "refresh": tokens.refresh}, headers={"Cache-Control": "no-store"})


class LoginView(TokenView):
    """Log in with e-mail and password. The access token lives five minutes, the refresh token fourteen days.

    After ten failures in a minute for one e-mail address, counted by each web process, the answer is 429.
    """

    body = LoginBody
    throttle_classes = (PerEmail, PerClient)

    @extend_schema(request=LoginBody, responses={**ANSWERS, **problem_answers(429)}, auth=[])
    def post(self, request: Request) -> Response:
        return self.answer(request)

    def tokens(self, request: Request, values: dict[str, Any]) -> Tokens:
        try:
            return log_in(values["email"], values["password"])
        except NotAuthenticated:
            for throttle in self.throttle_classes:
                throttle().count_failure(request)
            raise


class RefreshView(TokenView):
    """New tokens for a refresh token; what the bearer may do is read anew."""

    body = RefreshBody

    @extend_schema(request=RefreshBody, responses=ANSWERS, auth=[])
    def post(self, request: Request) -> Response:
        return self.answer(request)

    def tokens(self, request: Request, values: dict[str, Any]) -> Tokens:
        return refresh(values["refresh"])
