"""gunicorn's settings and worker (``gunicorn --config python:acme.http.server acme.wsgi``).

The server refuses some requests before Django sees them: a malformed request line, an address or header that is too
long. Those answers are problem documents as well.
"""

from __future__ import annotations

import socket
from typing import Any
from uuid import uuid4

import msgspec
from gunicorn import util
from gunicorn.http import errors
from gunicorn.workers.gthread import ThreadWorker

from acme.http import multiprocess
from acme.http.problems import CONTENT_TYPE
from acme.token import MAX_LENGTH

#: What gunicorn raises → status, reason phrase, code. The first that fits counts.
REFUSALS: list[tuple[type[Exception], int, str, str]] = [
    (errors.LimitRequestLine, 414, "URI Too Long", "address-too-long"),
    (errors.LimitRequestHeaders, 431, "Request Header Fields Too Large", "headers-too-big"),
    (errors.ExpectationFailed, 417, "Expectation Failed", "expectation-failed"),
    (errors.ParseException, 400, "Bad Request", "bad-request"),
]
#: Of these it is us or the proxy before us that is at fault, not the client.
OURS = (errors.ConfigurationProblem, errors.InvalidResponseHeader, errors.InvalidResponseHeaderName)


class ProblemWorker(ThreadWorker):
    """Threads that answer gunicorn's own refusals as RFC 9457 problem documents."""

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: Exception) -> None:
        refusal = next((known for known in REFUSALS if isinstance(exc, known[0])), None)
        if refusal is None or isinstance(exc, OURS):
            super().handle_error(req, client, addr, exc)
            return
        _, status, reason, code = refusal
        request_id = str(uuid4())
        self.log.warning("request %s refused: %s %s: %s", request_id, status, code, exc)
        try:
            util.write_nonblock(client, _answer(status, reason, code, request_id))
        except OSError:
            self.log.debug("the client of request %s is gone", request_id)


def _answer(status: int, reason: str, code: str, request_id: str) -> bytes:
    document = {
        "type": f"/problems/{code}",
        "title": reason,
        "status": status,
        "detail": "The server cannot read this request.",
        "code": code,
        "request_id": request_id,
        "errors": [],
    }
    body = msgspec.json.encode(document)
    head = (
        f"HTTP/1.1 {status} {reason}\r\nConnection: close\r\nContent-Type: {CONTENT_TYPE}\r\n"
        f"X-Request-Id: {request_id}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode("latin-1") + body


def on_starting(server: Any) -> None:
    """gunicorn's hook: before the first worker is forked."""
    multiprocess.prepare()


def child_exit(server: Any, worker: Any) -> None:
    """gunicorn's hook: a worker has ended, however."""
    multiprocess.forget(worker.pid)


def on_exit(server: Any) -> None:
    """gunicorn's hook: the last thing that it does."""
    multiprocess.clean()


worker_class = ProblemWorker
workers = 2
threads = 4
timeout = 30  # seconds; an idempotency lease is longer
limit_request_line = 8190
limit_request_field_size = MAX_LENGTH + 100  # a consistency token fits, with the name of its header
accesslog = "-"
