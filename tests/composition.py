"""docker/compose.yml as the tests use it: its services' commands, variables and secrets, without a container."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

PROJECT = Path(__file__).resolve().parent.parent
DOCKER = PROJECT / "docker"
COMPOSE: dict[str, Any] = yaml.safe_load((DOCKER / "compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
#: Those that run ACME's image.
OURS = {name: service for name, service in SERVICES.items() if service["image"] == "acme-shop"}
_VARIABLE = re.compile(r"\$\{(\w+):-([^}]*)\}")


def interpolated(text: str, given: Mapping[str, str]) -> str:
    """``${NAME:-default}`` resolved, ``$$`` made one."""
    return _VARIABLE.sub(lambda found: given.get(found[1]) or found[2], text).replace("$$", "$")


def variables(service: str) -> dict[str, str]:
    """The plain variables of a service, with the defaults of an empty docker/.env."""
    return {name: interpolated(value, {}) for name, value in OURS[service].get("environment", {}).items()}


def secrets(service: str) -> dict[str, str]:
    """File name under /run/secrets, which becomes the variable's name → name of the secret."""
    listed = SERVICES[service].get("secrets", [])
    pairs = [(one, one) if isinstance(one, str) else (one["target"], one["source"]) for one in listed]
    return dict(pairs)


def names(service: str) -> set[str]:
    """Every variable that the service's process gets from the composition."""
    return {*variables(service), *secrets(service)}


def command(service: str) -> list[str]:
    """What the service runs: its own command, else the image's."""
    own = OURS[service].get("command")
    if own:
        return [interpolated(part, {}) for part in own]
    shown = re.search(r"^CMD (\[.*\])$", (DOCKER / "Dockerfile").read_text(), re.MULTILINE)
    assert shown, "the Dockerfile has no CMD"
    return list(yaml.safe_load(shown[1]))
