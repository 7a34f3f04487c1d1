"""The services of docker/compose.yml as processes of this machine, with the composition's variables and secrets."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from acme.devstack.ports import free_port
from acme.devstack.process import die_with_parent
from tests.composition import DOCKER, PROJECT, command, secrets, variables


@dataclass
class Composition:
    """The composition's processes on this machine. `values`: name of a secret → its value."""

    directory: Path
    values: dict[str, str]
    kafka: str
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)
    metrics: dict[str, int] = field(default_factory=dict)

    def environment(self, service: str) -> dict[str, str]:
        """What the service's container would have, its secrets as files."""
        files = self.directory / "secrets" / service
        files.mkdir(parents=True)
        for target, source in secrets(service).items():
            (files / target).write_text(self.values[source])
        given = variables(service)
        if "KAFKA_BOOTSTRAP_SERVERS" in given:
            given["KAFKA_BOOTSTRAP_SERVERS"] = self.kafka
        if "ACME_METRICS_PORT" in given:  # in containers all may have the same
            self.metrics[service] = free_port()
            given |= {"ACME_METRICS_PORT": str(self.metrics[service]), "ACME_METRICS_ADDRESS": "127.0.0.1"}
        path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
        home = str(self.directory / "no-home")
        return {**given, "PATH": path, "ACME_HOME": home, "ACME_SECRETS": str(files), "PYTHONUNBUFFERED": "1"}

    def argv(self, service: str) -> list[str]:
        """Through the entry point; a web server on a free port of loopback."""
        port = self.ports.setdefault(service, free_port())
        return [str(DOCKER / "entrypoint.sh"), *(re.sub(r"^0\.0\.0\.0:8000$", f"127.0.0.1:{port}", part)
                                                 for part in command(service))]  # fmt: skip

    def once(self, service: str) -> None:
        """A service that ends by itself."""
        done = subprocess.run(
            self.argv(service), env=self.environment(service), cwd=PROJECT, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, f"{service}: {done.stdout}{done.stderr}"

    def start(self, service: str) -> None:
        with (self.directory / f"{service}.log").open("wb") as log:
            self.running[service] = subprocess.Popen(
                self.argv(service),
                env=self.environment(service),
                cwd=PROJECT,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=die_with_parent,
            )

    def url(self, service: str) -> str:
        return f"http://127.0.0.1:{self.ports[service]}"

    def healthy(self, service: str) -> bool:
        alive = self.running[service].poll() is None
        assert alive, f"{service} ended:\n{(self.directory / f'{service}.log').read_text()}"
        try:
            return httpx.get(f"{self.url(service)}/healthz").status_code == 200
        except httpx.TransportError:
            return False

    def stop(self) -> None:
        for process in self.running.values():
            process.terminate()
        for process in self.running.values():
            process.wait(60)
