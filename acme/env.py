"""Every environment variable of ACME: read once, typed, checked at start.

URLs of engines and secrets are looked up in this order: the environment, then the files that
`manage.py up` writes under ``ACME_HOME`` (``run/engines.json`` while engines run, ``secrets.json``),
then nothing: the value is None and whoever needs it says so with `require`.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from acme.alert_settings import AlertSettings, read_alerts

PROJECT = Path(__file__).resolve().parent.parent
ROLES = ("all", "command", "query")


class EnvironmentInvalid(ValueError):
    """A variable has a value that cannot be used; the message names it."""


class EngineNotConfigured(RuntimeError):
    """No engine runs under ACME_HOME and no URL is set in the environment."""


@dataclass(frozen=True, kw_only=True)
class Environment:
    """The whole configuration of a process; see `read` for defaults."""

    home: Path
    database_url: str | None
    kafka_bootstrap_servers: str | None
    mongodb_url: str | None
    celery_broker_url: str | None
    role: str
    secret_key: str | None = field(repr=False)
    jwt_private_key: str | None = field(repr=False)
    jwt_public_key: str | None
    debug: bool
    allowed_hosts: list[str]
    proxies: int
    currency: str
    time_zone: str
    admin_password: str | None = field(repr=False)
    data: Path
    metrics_port: int  # of a daemon; 0: it shows none
    metrics_address: str
    metrics_token: str | None = field(repr=False)
    alerts: AlertSettings

    @property
    def engines_file(self) -> Path:
        """Where `manage.py up` records the URLs of the engines it runs."""
        return self.home / "run" / "engines.json"

    @property
    def secrets_file(self) -> Path:
        """Where `manage.py up` keeps the development secrets (mode 0600)."""
        return self.home / "secrets.json"

    def require(self, name: str) -> str:
        """The value of a field such as ``"mongodb_url"``; raises `EngineNotConfigured` when there is none."""
        value = getattr(self, name)
        if not value:
            raise self.missing(name)
        return str(value)

    def missing(self, name: str) -> EngineNotConfigured:
        """What to say when a field is needed and has no value."""
        variable = name.upper() if name.endswith(("_url", "_servers")) else f"ACME_{name.upper()}"
        return EngineNotConfigured(
            f"{variable} is not set and no engines run under {self.home}: "
            f"start them with `manage.py up`, or set {variable}."
        )


def _file(path: Path) -> dict[str, str]:
    try:
        content = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise EnvironmentInvalid(f"{path} cannot be read: {error}") from error
    return {str(key): str(value) for key, value in content.items()} if isinstance(content, dict) else {}


def read(environ: dict[str, str] | None = None) -> Environment:
    """Reads and checks all variables. Raises `EnvironmentInvalid` naming the variable at fault."""
    given = dict(os.environ if environ is None else environ)
    home = Path(given.get("ACME_HOME") or PROJECT / ".acme").expanduser().resolve()
    found: dict[str, str] = {**_file(home / "secrets.json"), **_file(home / "run" / "engines.json")}
    found.update({key: value for key, value in given.items() if value != ""})
    return Environment(
        home=home,
        database_url=found.get("DATABASE_URL"),
        kafka_bootstrap_servers=found.get("KAFKA_BOOTSTRAP_SERVERS"),
        mongodb_url=found.get("MONGODB_URL"),
        celery_broker_url=found.get("CELERY_BROKER_URL"),
        role=_one_of("ACME_ROLE", found.get("ACME_ROLE", "all"), ROLES),
        secret_key=found.get("ACME_SECRET_KEY"),
        jwt_private_key=found.get("ACME_JWT_PRIVATE_KEY"),
        jwt_public_key=found.get("ACME_JWT_PUBLIC_KEY"),
        debug=_flag("ACME_DEBUG", found.get("ACME_DEBUG", "false")),
        allowed_hosts=found.get("ACME_ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]").split(","),
        proxies=_count("ACME_PROXIES", found.get("ACME_PROXIES", "0")),
        currency=_currency("ACME_CURRENCY", found.get("ACME_CURRENCY", "GBP")),
        time_zone=_time_zone("ACME_TIME_ZONE", found.get("ACME_TIME_ZONE", "UTC")),
        admin_password=found.get("ACME_ADMIN_PASSWORD"),
        data=Path(found.get("ACME_DATA") or PROJECT.parent / "shared" / "data"),
        metrics_port=_port("ACME_METRICS_PORT", found.get("ACME_METRICS_PORT", "0")),
        metrics_address=found.get("ACME_METRICS_ADDRESS", "127.0.0.1"),
        metrics_token=found.get("ACME_METRICS_TOKEN"),
        alerts=_alerts(found),
    )


def _alerts(found: dict[str, str]) -> AlertSettings:
    try:
        return read_alerts(found)
    except ValueError as error:
        raise EnvironmentInvalid(str(error)) from error


def _one_of(name: str, value: str, choices: tuple[str, ...]) -> str:
    if value not in choices:
        raise EnvironmentInvalid(f"environment: {name} must be one of {', '.join(choices)}, not {value!r}")
    return value


def _flag(name: str, value: str) -> bool:
    _one_of(name, value.lower(), ("true", "false", "1", "0"))
    return value.lower() in {"true", "1"}


def _count(name: str, value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) <= 2):
        raise EnvironmentInvalid(f"environment: {name} must be a number from 0 to 99, not {value!r}")
    return int(value)


def _port(name: str, value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) <= 5 and int(value) <= 65535):
        raise EnvironmentInvalid(f"environment: {name} must be a port, 0 to 65535 (0: none), not {value!r}")
    return int(value)


def _currency(name: str, value: str) -> str:
    if not (len(value) == 3 and value.isascii() and value.isalpha() and value.isupper()):
        raise EnvironmentInvalid(f"environment: {name} must be an ISO 4217 code, not {value!r}")
    return value


def _time_zone(name: str, value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise EnvironmentInvalid(f"environment: {name} is no time zone: {value!r}") from error
    return value


env = read()
