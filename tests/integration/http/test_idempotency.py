"""Idempotency-Key on real PostgreSQL with real commits: once, however often, however concurrently, whatever crashes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import OperationalError, connection, connections

from acme.identity import Role
from commands import idempotency
from commands.catalog.models import Category
from commands.outbox.models import DomainEvent, IdempotentRequest
from tests.integration.http.conftest import Send, bearer
from tests.integration.http.small_shop import Hooks

pytestmark = [
    pytest.mark.usefixtures("shop_database"),
    pytest.mark.urls("tests.integration.http.small_shop"),
]
BODY = {"name": "Mugs"}


def same(first: Any, second: Any) -> bool:
    ours = ("ETag", "Location", "Consistency-Token", "Content-Type")
    return (first.status_code, first.content, *(first[name] for name in ours)) == (
        second.status_code,
        second.content,
        *(second[name] for name in ours),
    )


def age(**by: float) -> None:
    """Lets time pass for all keys."""
    for row in IdempotentRequest.objects.all():
        row.created_at -= timedelta(**by)
        row.lease_until -= timedelta(**by)
        row.save()


def test_the_same_request_has_the_same_answer(send: Send) -> None:
    first = send("POST", "once", BODY, idempotency_key="k")
    again = send("POST", "once", b' {"name" : "Mugs"} ', idempotency_key="k")
    assert first.status_code == 201
    assert same(first, again)
    assert again["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first
    assert first["X-Request-Id"] != again["X-Request-Id"]
    assert (Hooks.calls, DomainEvent.objects.count(), Category.objects.count()) == (1, 1, 1)


def test_the_key_is_required_or_optional_as_declared(send: Send) -> None:
    response = send("POST", "once", BODY)
    assert (response.status_code, response.json()["code"]) == (400, "idempotency-key-required")
    assert response.json()["errors"][0]["header"] == "Idempotency-Key"
    first, again = (send("POST", "categories", BODY, idempotency_key="k") for _ in range(2))
    assert same(first, again)


@pytest.mark.parametrize(("path", "body"), [("once", {"name": "Cups"}), ("categories", BODY)])
def test_another_request_with_the_key_is_refused(send: Send, path: str, body: Any) -> None:
    send("POST", "once", BODY, idempotency_key="k")
    response = send("POST", path, body, idempotency_key="k")
    assert (response.status_code, response.json()["code"]) == (422, "idempotency-key-reused")
    assert DomainEvent.objects.count() == 1


def test_keys_belong_to_their_actor(send: Send, client: Any) -> None:
    ids = {
        send("POST", "once", BODY, idempotency_key="k").json()["id"],
        send("POST", "once", BODY, idempotency_key="k", authorization=bearer(Role.STAFF, user_id=uuid4())).json()["id"],
    }
    for guest in ({}, {"guest-token": "a"}, {"guest-token": "b"}):
        response = client.post(
            "/api/v1/once", BODY, content_type="application/json", headers={"idempotency-key": "k", **guest}
        )
        ids.add(response.json()["id"])
    assert len(ids) == 5
    assert not IdempotentRequest.objects.filter(actor__contains="guest:a").exists()  # only its hash is kept


def test_two_at_once_are_one(send: Send) -> None:
    entered, go_on = threading.Event(), threading.Event()

    def wait() -> None:
        entered.set()
        assert go_on.wait(10)

    Hooks.inside = wait
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(_in_thread, send, "k")
        assert entered.wait(10)
        second = send("POST", "once", BODY, idempotency_key="k")
        other = send("POST", "once", {"name": "Cups"}, idempotency_key="k")
        go_on.set()
        first = running.result()
    assert (second.status_code, second.json()["code"]) == (409, "idempotency-key-in-use")
    assert int(second["Retry-After"]) > 0
    assert other.status_code == 422
    assert first.status_code == 201
    assert same(first, send("POST", "once", BODY, idempotency_key="k"))
    assert (Hooks.calls, DomainEvent.objects.count()) == (1, 1)


def test_twenty_at_once_are_one(send: Send) -> None:
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: _in_thread(send, "k"), range(20)))
    done = [answer for answer in answers if answer.status_code == 201]
    assert done
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert all(same(done[0], answer) for answer in done)
    assert DomainEvent.objects.count() == 1


def _in_thread(send: Send, key: str) -> Any:
    try:
        return send("POST", "once", BODY, idempotency_key=key)
    finally:
        connections.close_all()


def test_an_error_gives_the_key_back(send: Send) -> None:
    refused = send("POST", "once", {"name": "refused"}, idempotency_key="k")
    assert refused.status_code == 409
    assert not IdempotentRequest.objects.exists()

    def fail() -> None:
        raise OperationalError("gone")

    Hooks.inside = fail
    assert send("POST", "once", BODY, idempotency_key="k").status_code == 503
    Hooks.inside = None
    assert send("POST", "once", BODY, idempotency_key="k").status_code == 201


def test_a_malformed_request_takes_no_key(send: Send) -> None:
    assert send("POST", "once", {"name": 3}, idempotency_key="k").status_code == 400
    assert not IdempotentRequest.objects.exists()


def crash() -> None:
    """The request in a process of its own, which dies inside the handler as if by kill -9."""
    code = (
        "import os, django; django.setup();"
        "from tests.integration.http.conftest import send_json;"
        "from tests.integration.http.small_shop import Hooks;"
        "from django.conf import settings; settings.ROOT_URLCONF = 'tests.integration.http.small_shop';"
        "Hooks.inside = lambda: os.kill(os.getpid(), 9);"
        "send_json('POST', 'once', {'name': 'Mugs'}, idempotency_key='k')"
    )
    link = connection.settings_dict
    url = f"postgresql://{link['USER']}:{link['PASSWORD']}@{link['HOST']}:{link['PORT']}/{link['NAME']}"
    variables = {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "acme.settings", "ACME_ALLOWED_HOSTS": "testserver"}
    environment = {**os.environ, **variables}
    ended = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr


def test_a_crash_blocks_the_key_until_the_lease_is_over(send: Send) -> None:
    crash()
    assert send("POST", "once", BODY, idempotency_key="k").status_code == 409
    assert DomainEvent.objects.count() == 0
    age(seconds=idempotency.LEASE.total_seconds() + 1)
    first, again = (send("POST", "once", BODY, idempotency_key="k") for _ in range(2))
    assert first.status_code == 201
    assert same(first, again)
    assert DomainEvent.objects.count() == 1


def test_a_lease_of_a_server_whose_clock_was_ahead_is_over_as_soon_as_any_other(send: Send) -> None:
    crash()
    age(hours=-3)
    assert send("POST", "once", BODY, idempotency_key="k").status_code == 409
    age(seconds=idempotency.LEASE.total_seconds() + 1)
    assert send("POST", "once", BODY, idempotency_key="k").status_code == 201
    assert DomainEvent.objects.count() == 1


def test_an_overtaken_request_does_not_commit(send: Send) -> None:
    """The first one is slower than its lease; the second takes over and answers; the first must not count as well."""
    answers = []

    def inside() -> None:
        Hooks.inside = None
        with ThreadPoolExecutor(1) as pool:
            pool.submit(_aged).result()  # in a connection of its own, so that it is committed
        with ThreadPoolExecutor(1) as pool:
            answers.append(pool.submit(_in_thread, send, "k").result())

    Hooks.inside = inside
    late = send("POST", "once", BODY, idempotency_key="k")
    assert answers[0].status_code == 201
    assert (late.status_code, late.json()["code"]) == (409, "idempotency-key-in-use")
    assert same(answers[0], send("POST", "once", BODY, idempotency_key="k"))
    assert DomainEvent.objects.count() == 1


def _aged() -> None:
    try:
        age(seconds=idempotency.LEASE.total_seconds() + 1)
    finally:
        connections.close_all()


def test_the_answer_is_committed_with_the_command_or_not_at_all(send: Send) -> None:
    """The transaction fails after the answer was written: at commit."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION refuse_commit() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '53100'; END $$; "
            "CREATE CONSTRAINT TRIGGER refuse_commit AFTER INSERT ON domain_event "
            "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse_commit()"
        )
    try:
        assert send("POST", "once", BODY, idempotency_key="k").status_code == 503
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER refuse_commit ON domain_event; DROP FUNCTION refuse_commit")
    assert not IdempotentRequest.objects.exists()
    assert not Category.objects.exists()
    assert send("POST", "once", BODY, idempotency_key="k").status_code == 201


def test_keys_are_kept_a_day(send: Send) -> None:
    first = send("POST", "once", BODY, idempotency_key="k")
    age(hours=23)
    assert same(first, send("POST", "once", BODY, idempotency_key="k"))
    age(hours=2)
    later = send("POST", "once", BODY, idempotency_key="k")
    assert (later.status_code, later.json()["id"] != first.json()["id"]) == (201, True)


def test_old_keys_are_deleted_beside_new_ones(send: Send) -> None:
    for key in ("a", "b"):
        send("POST", "once", BODY, idempotency_key=key)
    age(hours=25)
    send("POST", "once", BODY, idempotency_key="c")
    assert list(IdempotentRequest.objects.values_list("key", flat=True)) == ["c"]
