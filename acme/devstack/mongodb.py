"""MongoDB as a child process: `secantusd-rs` or `mongod` from PATH, or the SecantusDB server of the wheel.

It listens on loopback without a password: what it holds can be computed again from the log, and
SecantusDB takes its first user only from an open server.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from acme.devstack.engine import Engine, Say, choose, on_path, version_of
from acme.devstack.errors import NotSuitable
from acme.devstack.home import Home
from acme.devstack.ports import LOOPBACK
from acme.devstack.process import Program

NAME = "mongodb"
VARIABLE = "MONGODB_URL"
OLDEST = 7
REPLICA_SET = "acme"
DATABASE = "acme"


def find(home: Home, port: int, say: Say) -> Engine:
    """`secantusd-rs`, else MongoDB 7 or newer, else the wheel's server. Raises `CannotStart`."""
    return choose("MongoDB", lambda: _native(home, port), lambda: _wheel(home, port), say)


def _native(home: Home, port: int) -> Engine | None:
    rust = on_path("secantusd-rs")
    if rust is not None:
        return _secantus(home, port, (str(rust),), str(rust), "secantus-rs")
    server = on_path("mongod")
    if server is None:
        return None
    major = version_of(server, "--version")[0]
    if major < OLDEST:
        raise NotSuitable(f"{server}: version {major} is too old, {OLDEST} is needed")
    return _mongod(home, port, server)


def _wheel(home: Home, port: int) -> Engine:
    import secantus  # only where the wheel is wanted: a production image has none

    command = (sys.executable, "-m", secantus.__name__)
    return _secantus(home, port, command, f"wheel secantusdb {secantus.__version__}", "secantus")


def _secantus(home: Home, port: int, command: tuple[str, ...], where: str, directory: str) -> Engine:
    argv = (*command, "--host", LOOPBACK, "--port", str(port), "--storage-path", str(home.data(directory)))
    return _engine(home, port, argv, where, f"mongodb://{LOOPBACK}:{port}/{DATABASE}")


def _mongod(home: Home, port: int, server: Path) -> Engine:
    """A replica set of one: MongoDB has transactions and change streams in a replica set only."""
    directory = home.data("mongod")
    options = ("--bind_ip", LOOPBACK, "--port", str(port), "--dbpath", str(directory), "--replSet", REPLICA_SET)
    url = f"mongodb://{LOOPBACK}:{port}/{DATABASE}?directConnection=true"
    return _engine(home, port, (str(server), *options), str(server), url, directory=directory)


def _engine(
    home: Home, port: int, argv: tuple[str, ...], where: str, url: str, *, directory: Path | None = None
) -> Engine:
    """`directory` is given for a mongod: made before, its replica set initiated after the first start."""

    def prepare() -> None:
        if directory is not None:
            directory.mkdir(mode=0o700, exist_ok=True)

    def settle() -> None:
        if directory is not None:
            _initiate(url, port)

    program = Program(name=NAME, argv=argv, log=home.log(NAME), port=port, grace=20.0)
    return Engine(
        variable=VARIABLE,
        url=url,
        program=program,
        where=where,
        answers=lambda: answers(url),
        prepare=prepare,
        settle=settle,
    )


def answers(url: str) -> bool:
    """True when the server takes a command."""
    client: MongoClient[dict[str, Any]]
    try:
        with MongoClient(url, serverSelectionTimeoutMS=1000, connectTimeoutMS=1000, socketTimeoutMS=2000) as client:
            client.admin.command("ping")
    except PyMongoError:
        return False
    return True


def _initiate(url: str, port: int) -> None:
    """Makes a fresh mongod the only member of its replica set; a known one answers AlreadyInitialized (23)."""
    members = [{"_id": 0, "host": f"{LOOPBACK}:{port}"}]
    client: MongoClient[dict[str, Any]]
    with MongoClient(url) as client:
        try:
            client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": members})
        except OperationFailure as error:
            if error.code != 23:
                raise
            config = client.admin.command("replSetGetConfig")["config"]
            config["members"], config["version"] = members, config["version"] + 1
            client.admin.command("replSetReconfig", config, force=True)  # the port is another one this time
