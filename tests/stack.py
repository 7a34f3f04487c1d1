"""A whole shop in its own ACME_HOME, as a user starts it: `manage.py up`, for end-to-end and fault tests."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from acme.devstack.process import die_with_parent

PROJECT = Path(__file__).resolve().parent.parent
ENGINE_VARIABLES = ("DATABASE_URL", "KAFKA_BOOTSTRAP_SERVERS", "MONGODB_URL", "CELERY_BROKER_URL")
ADMIN = {"email": "admin@acme.test", "password": "an-admin-of-the-tests-7"}
READY_SECONDS = 240


class Stack:
    """`manage.py up --port 0 …` as a child of the test. `home` outlives a stop, so that it can be started again."""

    def __init__(self, home: Path, process: subprocess.Popen[str], output: Path, own_home: bool) -> None:
        self.home = home
        self.process = process
        self.output_file = output
        self._own_home = own_home

    @classmethod
    def start(
        cls,
        options: Sequence[str] = ("--no-demo",),
        *,
        home: Path | None = None,
        environment: Mapping[str, str] | None = None,
        wait: bool = True,
    ) -> Stack:
        """Starts it and waits until the web server answers. `home`: that of an earlier stack, to keep its data."""
        directory = home or Path(tempfile.mkdtemp(prefix="acme-stack-"))
        output = directory / "up.out"
        with output.open("w") as file:
            process = subprocess.Popen(
                [sys.executable, "manage.py", "up", "--port", "0", *options],
                cwd=PROJECT,
                env=cls._environment(directory, environment or {}),
                stdout=file,
                stderr=subprocess.STDOUT,
                text=True,
                preexec_fn=die_with_parent,  # a killed test run leaves no shop behind
            )
        stack = cls(directory, process, output, own_home=home is None)
        if wait:
            try:
                stack.wait_ready()
            except BaseException:
                stack.close()
                raise
        return stack

    @staticmethod
    def _environment(home: Path, more: Mapping[str, str]) -> dict[str, str]:
        """The test's environment without the session's engines: a stack has its own."""
        inherited = {key: value for key, value in os.environ.items() if key not in ENGINE_VARIABLES}
        return {**inherited, "ACME_HOME": str(home), "ACME_ADMIN_PASSWORD": ADMIN["password"], **more}

    @property
    def output(self) -> str:
        """All that `up` has printed so far."""
        return self.output_file.read_text()

    @property
    def processes(self) -> dict[str, dict[str, Any]]:
        """Name → pid, create_time, port, state, as `up` records them."""
        return json.loads((self.home / "run" / "processes.json").read_text())

    @property
    def urls(self) -> dict[str, str]:
        """Variable → URL of the running engines."""
        return json.loads((self.home / "run" / "engines.json").read_text())

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.processes['web']['port']}"

    def wait_ready(self, seconds: float = READY_SECONDS) -> None:
        """Returns when `up` has said that everything runs; fails when it ends or takes longer."""
        self._wait(lambda: "the shop is open" in self.output, "the shop is open", seconds)

    def pid_of(self, name: str) -> int:
        return int(self.processes[name]["pid"])

    def kill9(self, name: str) -> int:
        """SIGKILL to one process of the stack (not to its group); returns the pid when it is gone."""
        pid = self.pid_of(name)
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            process.kill()
            with suppress(psutil.TimeoutExpired):
                process.wait(10)
        return pid

    def suspend(self, name: str) -> None:
        """Stops the clock of one process (SIGSTOP) until `resume`: a zombie for all others."""
        os.kill(self.pid_of(name), signal.SIGSTOP)

    def resume(self, name: str) -> None:
        os.kill(self.pid_of(name), signal.SIGCONT)

    def wait_restarted(self, name: str, old_pid: int, seconds: float = 60) -> int:
        """Waits until `up` has started it anew; returns the new pid."""
        self._wait(lambda: self.pid_of(name) != old_pid and self._runs(name), f"{name} runs again", seconds)
        return self.pid_of(name)

    def wait_all_running(self, seconds: float = 60) -> None:
        """Waits until nothing is down."""
        self._wait(lambda: all(self._runs(name) for name in self.processes), "everything runs", seconds)

    def _runs(self, name: str) -> bool:
        process = self.processes[name]
        return process["state"] == "running" and psutil.pid_exists(int(process["pid"]))

    def _wait(self, true: Callable[[], bool], what: str, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not true():
            assert self.process.poll() is None, f"up ended with {self.process.returncode}:\n{self.output}"
            assert time.monotonic() < deadline, f"not after {seconds} s: {what}\n{self.output}"
            time.sleep(0.05)

    def manage(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Runs another `manage.py` command on this shop."""
        return subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=PROJECT,
            env=self._environment(self.home, {}),
            capture_output=True,
            text=True,
            check=check,
        )

    def stop(self, seconds: float = 60) -> int:
        """SIGTERM, as a service manager does; returns the exit code."""
        with suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)

    def close(self) -> None:
        """Stops it and, unless the home was given, removes it."""
        if self.process.poll() is None:
            try:
                self.stop()
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self._own_home:
            shutil.rmtree(self.home, ignore_errors=True)
