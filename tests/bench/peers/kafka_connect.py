"""Kafka Connect in standalone mode with MongoDB's sink, on the broker and the store of the benchmark.

Each record replaces the document of its cart (ReplaceOneBusinessKeyStrategy, the key unique): no fold, no guard.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from acme.devstack.ports import free_port
from queries.documents.connection import database
from tests.bench.engines import CannotMeasure
from tests.bench.measure import Took
from tests.bench.peers.environment import BUILD

HERE = Path(__file__).resolve().parent
JARS = BUILD / "connect"
TASKS = 2  # on two cores
LONGEST = 300.0  # seconds
SINK = "com.mongodb.kafka.connect.sink"


def jars() -> Path:
    """Fetched when they are not there. Raises `CannotMeasure`."""
    if not (JARS / "complete").is_file():
        if shutil.which("mvn") is None or shutil.which("java") is None:
            raise CannotMeasure("Kafka Connect needs java and mvn")
        print("  fetching Kafka Connect and MongoDB's sink …", file=sys.stderr, flush=True)
        maven = [
            "mvn",
            "--batch-mode",
            "--quiet",
            "--strict-checksums",
            "--file",
            HERE / "connect" / "pom.xml",
            "package",
        ]
        if subprocess.run(maven, stdout=sys.stderr, check=False).returncode:  # stdout is the result's
            raise CannotMeasure("mvn cannot fetch Kafka Connect")
        (JARS / "complete").touch()
    return JARS


def connect_run(number: int, topic: str, key: str, last: list[str], events: int) -> Took:
    """A connector of its own reads the topic from its beginning.

    On the watch from the first document that is there, so what it reads and writes before that is given to it.
    """
    store, name = database(), f"bench_connect_{number}"
    collection = store[name]
    collection.create_index(key, unique=True)
    folder = BUILD / "connect-run"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    files = [
        _written(folder / "worker.properties", _worker(folder)),
        _written(folder / "sink.properties", _sink(name, topic, key)),
    ]
    command = ["java", "-Xmx1g", "-Dlog4j2.level=WARN", "-cp", f"{jars()}/*"]
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(
            [*command, "org.apache.kafka.connect.cli.ConnectStandalone", *files],
            cwd=folder, stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        began = _wait(lambda: collection.find_one({}, {"_id": 1}) is not None, process)
        used = _cpu(process.pid)
        _wait(lambda: _all_there(collection, key, last), process)
        # Within a batch the order is the store's: so all are counted, too.
        ended = _wait(lambda: collection.count_documents({"quantity": {"$exists": True}}) == events // 2, process)
        return Took(events, ended - began, _cpu(process.pid) - used)
    finally:
        process.terminate()
        process.wait(60)
        collection.drop()


def _all_there(collection: Any, key: str, last: list[str]) -> bool:
    """Partitions are written in order: the last cart of each has had its last change."""
    return all(collection.find_one({key: cart, "quantity": {"$exists": True}}, {"_id": 1}) for cart in last)


def _wait(done: Callable[[], bool], process: subprocess.Popen[bytes]) -> float:
    """Answers when it was so."""
    ends = time.monotonic() + LONGEST
    while not done():
        if process.poll() is not None or time.monotonic() > ends:
            raise CannotMeasure(f"Kafka Connect did not get there; its output is in {BUILD / 'connect-run' / 'output'}")
        time.sleep(0.01)
    return time.perf_counter()


def _worker(folder: Path) -> dict[str, object]:
    return {
        "bootstrap.servers": os.environ["KAFKA_BOOTSTRAP_SERVERS"],
        "listeners": f"http://127.0.0.1:{free_port()}",
        "offset.storage.file.filename": folder / "offsets",
        "key.converter": "org.apache.kafka.connect.storage.StringConverter",
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        "value.converter.schemas.enable": "false",
        "plugin.discovery": "service_load",
    }


def _sink(collection: str, topic: str, key: str) -> dict[str, object]:
    strategy = f"{SINK}.processor.id.strategy.PartialValueStrategy"
    return {
        "name": collection,
        "connector.class": "com.mongodb.kafka.connect.MongoSinkConnector",
        "tasks.max": TASKS,
        "topics": topic,
        "connection.uri": os.environ["MONGODB_URL"],
        "database": database().name,
        "collection": collection,
        "writemodel.strategy": f"{SINK}.writemodel.strategy.ReplaceOneBusinessKeyStrategy",
        "document.id.strategy": strategy,
        "document.id.strategy.partial.value.projection.type": "AllowList",
        "document.id.strategy.partial.value.projection.list": key,
        "bulk.write.ordered": "false",
        "consumer.override.max.poll.records": 2000,
    }


def _written(path: Path, values: dict[str, object]) -> Path:
    path.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    return path


def _cpu(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system
