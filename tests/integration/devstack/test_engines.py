"""Each engine as it is really run: started, killed, started again on the same port and data."""

from __future__ import annotations

import psutil
import psycopg
import pytest
import redis as redis_client
from pymongo import MongoClient

from acme.devstack import postgres as postgres_engine
from acme.devstack import redis as redis_engine
from acme.devstack.engine import EngineServer
from acme.devstack.home import Home
from acme.devstack.ports import free_port, is_free


def _silent(line: str) -> None:
    """The notices of `find` do not matter here."""


def test_postgres_keeps_every_commit_over_a_kill(own_home: Home) -> None:
    server = EngineServer(postgres_engine.find(own_home, free_port(), _silent)).start()
    try:
        with psycopg.connect(server.url) as connection:
            connection.execute("CREATE TABLE kept (number int)")
        for number in range(20):
            with psycopg.connect(server.url) as connection:
                connection.execute("INSERT INTO kept VALUES (%s)", [number])
        server.kill()
        server.start()
        with psycopg.connect(server.url) as connection:
            assert connection.execute("SELECT count(*) FROM kept").fetchone() == (20,)
    finally:
        server.stop()
    assert is_free(server.engine.program.port or 0)


def test_postgres_asks_for_a_password_and_acme_is_no_superuser(own_home: Home) -> None:
    server = EngineServer(postgres_engine.find(own_home, free_port(), _silent)).start()
    try:
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(server.url.replace(own_home.secrets()["POSTGRES_PASSWORD"], "guess"))
        with psycopg.connect(server.url) as connection:
            assert connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone() == (
                False,
            )
            assert connection.execute("SHOW fsync").fetchone() == ("on",)
    finally:
        server.stop()


def test_mongodb_comes_back_with_its_documents(mongo_server: EngineServer) -> None:
    with MongoClient(mongo_server.url) as client:
        client.acme.things.insert_many({"_id": number} for number in range(100))
    mongo_server.restart()
    with MongoClient(mongo_server.url) as client:
        assert client.acme.things.count_documents({}) == 100
    old = mongo_server.pid
    mongo_server.kill9()
    assert not psutil.pid_exists(old or 0)
    mongo_server.start()
    with MongoClient(mongo_server.url) as client:
        assert client.acme.things.count_documents({}) == 100


def test_kafka_answers_again_on_the_same_port(kafka_broker: EngineServer) -> None:
    url = kafka_broker.url
    kafka_broker.kill()
    assert not kafka_broker.engine.answers()
    kafka_broker.start()
    assert kafka_broker.url == url
    assert kafka_broker.engine.answers()


def test_redis_takes_commands_only_with_the_password(own_home: Home) -> None:
    server = EngineServer(redis_engine.find(own_home, free_port(), _silent)).start()
    try:
        assert redis_client.Redis.from_url(server.url).ping()
        with pytest.raises(redis_client.AuthenticationError):
            redis_client.Redis(port=server.engine.program.port or 0).ping()
        command_line = " ".join(psutil.Process(server.pid).cmdline())
        assert own_home.secrets()["REDIS_PASSWORD"] not in command_line
    finally:
        server.stop()


def test_the_session_engines_are_shared(postgres: str, mongo: str, kafka: str, redis: str) -> None:
    with psycopg.connect(postgres) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    with MongoClient(mongo) as client:
        assert client.admin.command("ping")["ok"] == 1
    assert kafka.startswith("127.0.0.1:")
    assert redis_client.Redis.from_url(redis).ping()
