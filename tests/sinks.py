"""Real receivers of alerts on loopback: a mail server and a web server that keep what they are sent.

Use them as context managers; ``port`` and ``url`` say where they listen. For a process of its own give it
`SmtpSink.environment` and `HttpSink.environment`.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from acme.devstack.ports import LOOPBACK, free_port


def wait_for(true: Callable[[], Any], seconds: float, what: str) -> None:
    """Returns when ``true`` is, fails after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.02)


@dataclass(frozen=True, kw_only=True)
class Mail:
    """One message that the mail server took."""

    sender: str
    recipients: tuple[str, ...]
    message: Message

    @property
    def subject(self) -> str:
        return str(self.message["Subject"]).strip()  # a folded one begins with its fold

    @property
    def id(self) -> str:
        """The id of the alert."""
        return str(self.message["Message-ID"]).strip("<>").removesuffix("@acme-alerts")

    @property
    def text(self) -> str:
        content = self.message.get_payload(decode=True)
        assert isinstance(content, bytes)
        return content.decode()

    def fact(self, name: str) -> str:
        """A line such as ``Cause:    lag:orders`` at the end of the text."""
        found = [line.partition(":")[2].strip() for line in self.text.splitlines() if line.startswith(f"{name}:")]
        assert found, f"no {name} in {self.text}"
        return found[-1]


class SmtpSink:
    """``refuse``: the answer to every message, such as "451 not now", until it is None again."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.refuse: str | None = None
        self.port = free_port()  # aiosmtpd knocks at its own port, so it cannot be 0
        self._controller = Controller(self, hostname=LOOPBACK, port=self.port)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """aiosmtpd's hook."""
        if self.refuse is not None:
            return self.refuse
        content = envelope.content
        assert isinstance(content, bytes)
        message = message_from_bytes(content, policy=default)
        self.mails.append(Mail(sender=envelope.mail_from or "", recipients=tuple(envelope.rcpt_tos), message=message))
        return "250 kept"

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._controller.stop()

    @property
    def environment(self) -> dict[str, str]:
        """Variables of a process that sends its alerts here."""
        return {
            "ACME_SMTP_URL": f"smtp://{LOOPBACK}:{self.port}",
            "ACME_ALERT_EMAILS": "ops@acme.test",
            "ACME_ALERT_FROM": "shop@acme.test",
        }

    def about(self, key: str, state: str | None = None) -> list[Mail]:
        """Those about one cause, in the order in which they came."""
        mine = [mail for mail in list(self.mails) if mail.fact("Cause") == key]
        return [mail for mail in mine if state in {None, mail.fact("State")}]


@dataclass(frozen=True, kw_only=True)
class Post:
    """One request that the web server got."""

    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


@dataclass
class HttpSink:
    """``answer``: the status of every answer; with ``location`` it redirects. Only what got a 2xx is in `posts`."""

    secret: str = "a-secret-of-the-sink"
    answer: int = 204
    location: str | None = None
    posts: list[Post] = field(default_factory=list)
    refused: list[Post] = field(default_factory=list)

    def __enter__(self) -> Self:
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                post = Post(headers={name.lower(): value for name, value in self.headers.items()}, body=body)
                (sink.posts if 200 <= sink.answer < 300 else sink.refused).append(post)
                self.send_response(sink.answer)
                if sink.location is not None:
                    self.send_header("Location", sink.location)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                """Silence."""

        self._server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="http-sink", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self._server.server_address[1]}/alerts"

    @property
    def environment(self) -> dict[str, str]:
        """Variables of a process that sends its alerts here."""
        return {"ACME_ALERT_WEBHOOK_URL": self.url, "ACME_ALERT_WEBHOOK_SECRET": self.secret}

    def about(self, key: str, state: str | None = None) -> list[dict[str, Any]]:
        """The bodies about one cause, in the order in which they came."""
        mine = [post.json for post in list(self.posts) if post.json["key"] == key]
        return [body for body in mine if state in {None, body["state"]}]
