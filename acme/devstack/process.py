"""One child process: started in its own group with its own log, stopped or killed with all it started."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from acme.devstack.errors import CannotStart
from acme.devstack.home import LOG_LIMIT

PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(frozen=True, kw_only=True)
class Program:
    """What to run. `user` needs root; `stdin` is fed once (a configuration that must not stand in `ps`)."""

    name: str
    argv: tuple[str, ...]
    log: Path | None  # None: it writes where we write (passwords that are shown once must reach no file)
    port: int | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None
    stdin: bytes | None = None
    cwd: Path = Path("/")
    stop_signal: signal.Signals = signal.SIGTERM
    grace: float = 10.0  # seconds between the stop signal and SIGKILL


class Process:
    """A running `Program`. Not thread-safe; start it from a thread that lives as long as the process."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._popen: subprocess.Popen[bytes] | None = None
        self.create_time = 0.0
        self._log_start = 0

    @property
    def pid(self) -> int | None:
        return self._popen.pid if self._popen else None

    def start(self) -> None:
        """Starts it; `alive` tells whether it stayed. Raises `CannotStart` when it cannot be executed."""
        program = self.program
        with ExitStack() as files:
            log = None
            if program.log is not None:
                _set_aside(program.log)
                log = files.enter_context(program.log.open("ab"))
                self._log_start = log.tell()
            try:
                self._popen = subprocess.Popen(  # noqa: S603 (argv is ours, no shell)
                    program.argv,
                    stdin=subprocess.PIPE if program.stdin is not None else subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env={**os.environ, **program.env},
                    cwd=program.cwd,
                    user=program.user,
                    group=program.user,
                    extra_groups=[] if program.user else None,
                    umask=0o077,
                    start_new_session=True,
                    preexec_fn=die_with_parent,
                )
            except OSError as error:
                raise CannotStart(f"{program.name}: {program.argv[0]} cannot be run: {error.strerror}.") from error
        self._feed()
        with suppress(psutil.NoSuchProcess):
            self.create_time = psutil.Process(self._popen.pid).create_time()

    def _feed(self) -> None:
        if self._popen is not None and self._popen.stdin is not None:
            with suppress(BrokenPipeError), self._popen.stdin as pipe:
                pipe.write(self.program.stdin or b"")

    @property
    def alive(self) -> bool:
        return self._popen is not None and self._popen.poll() is None

    @property
    def exit_reason(self) -> str:
        """How it ended, in words; empty while it runs."""
        code = self._popen.poll() if self._popen else None
        if code is None:
            return ""
        return f"exit code {code}" if code >= 0 else f"killed by {signal.Signals(-code).name}"

    def tail(self, lines: int = 8) -> list[str]:
        """The last non-empty lines that it wrote to its log since it was started."""
        if self.program.log is None:
            return []
        try:
            with self.program.log.open("rb") as log:
                log.seek(max(self._log_start, log.seek(0, os.SEEK_END) - 20_000))
                text = log.read().decode(errors="replace")
        except FileNotFoundError:
            return []
        return [line for line in text.splitlines() if line.strip()][-lines:]

    def signal_stop(self) -> None:
        """Asks it to end; returns at once."""
        if self.alive and self._popen is not None:
            self._popen.send_signal(self.program.stop_signal)

    def stop(self) -> None:
        """Asks it to end, waits for `grace` seconds, then kills it and whatever it left behind."""
        self.signal_stop()
        self.wait_stopped(self.program.grace)
        self.kill()

    def wait_stopped(self, seconds: float) -> bool:
        """True when it has ended within that time."""
        if self._popen is None:
            return True
        try:
            self._popen.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def kill(self) -> None:
        """SIGKILL to the whole group; returns when the process is gone."""
        if self._popen is None:
            return
        with suppress(ProcessLookupError, PermissionError):  # macOS: PermissionError for a group of zombies
            os.killpg(self._popen.pid, signal.SIGKILL)
        self._popen.wait()

    def record(self) -> dict[str, Any]:
        """What run/processes.json keeps of it."""
        return {"pid": self.pid, "create_time": self.create_time, "port": self.program.port}


def end_leftovers(records: Mapping[str, Mapping[str, Any]], home: Path, grace: float = 10.0) -> list[str]:
    """Ends what an `up` that was killed left running, by pid *and* start time; returns the names ended.

    A process is ours when its pid and start time are those recorded, or, its leader being dead, when it
    belongs to the recorded group and carries our ACME_HOME: a pid that another program has got since is
    left alone.
    """
    found: dict[str, list[psutil.Process]] = {}
    for process in psutil.process_iter():
        with suppress(psutil.Error, ProcessLookupError):
            leader = os.getpgid(process.pid)
            for name, record in records.items():
                if record["pid"] == leader and _is_ours(process, record, home):
                    found.setdefault(name, []).append(process)
    everything = [process for group in found.values() for process in group]
    for name, group in found.items():
        for process in group:
            with suppress(psutil.Error):
                process.send_signal(signal.SIGINT if name == "postgres" else signal.SIGTERM)
    _, stubborn = psutil.wait_procs(everything, timeout=grace)
    for process in stubborn:
        with suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(stubborn, timeout=grace)
    return sorted(found)


def _is_ours(process: psutil.Process, record: Mapping[str, Any], home: Path) -> bool:
    if process.pid == record["pid"]:
        return bool(abs(process.create_time() - record["create_time"]) < 1.0)
    return bool(process.environ().get("ACME_HOME") == str(home))


def wait_until(answers: Callable[[], bool], process: Process, seconds: float) -> None:
    """Waits until `answers()` is true. Raises `CannotStart` with the process's last words, if any."""
    deadline = time.monotonic() + seconds
    while not answers():
        if not process.alive or time.monotonic() > deadline:
            why = process.exit_reason or f"no answer within {seconds:.0f} s"
            words = " | ".join(process.tail(3))
            raise CannotStart(f"{process.program.name} did not start ({why}): {words or 'it said nothing'}")
        time.sleep(0.05)


def die_with_parent() -> None:
    """In the child: the kernel sends SIGTERM when the parent dies, were it by SIGKILL (Linux only)."""
    if _LIBC is not None:
        _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def _set_aside(log: Path) -> None:
    with suppress(FileNotFoundError):
        if log.stat().st_size > LOG_LIMIT:
            log.replace(log.with_suffix(".log.1"))
