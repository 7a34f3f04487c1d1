"""What the peers need, made once under build/peers: a virtual environment, RabbitMQ, a database of their own."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg

from acme.devstack.ports import accepts, free_port
from tests.bench.engines import CannotMeasure
from tests.bench.measure import Took

HERE = Path(__file__).resolve().parent
BUILD = HERE.parents[2] / "build" / "peers"
REQUIREMENTS = HERE / "requirements.txt"
STARTS_WITHIN = 90.0  # seconds


def python() -> Path:
    """The interpreter of the peers, which are installed when their list has changed."""
    wanted, stamp = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest(), BUILD / "venv" / "installed"
    interpreter = BUILD / "venv" / "bin" / "python"
    if not (stamp.is_file() and stamp.read_text() == wanted):
        print("  installing the peers of P5 …", file=sys.stderr, flush=True)
        shutil.rmtree(BUILD / "venv", ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", BUILD / "venv"], stdout=sys.stderr, check=True)
        pip = [interpreter, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", REQUIREMENTS]
        subprocess.run(pip, stdout=sys.stderr, check=True)
        stamp.write_text(wanted)
    return interpreter


def run(*arguments: str, env: Mapping[str, str]) -> Took:
    """Runs a peer, which answers what it took. Raises `CannotMeasure`."""
    done = subprocess.run(
        [python(), *arguments], cwd=HERE, env={**_plain(), **env}, stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        raise CannotMeasure(f"{' '.join(arguments)} ended with exit code {done.returncode}")
    return Took(**json.loads(done.stdout.splitlines()[-1]))


def _plain() -> dict[str, str]:
    """The environment without what is ours."""
    return {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "TMPDIR"}}


def database(name: str) -> str:
    """The URL of a database beside the shop's, in the same server, empty when it is made."""
    url = os.environ["DATABASE_URL"]
    with psycopg.connect(url, autocommit=True) as connection, suppress(psycopg.errors.DuplicateDatabase):
        connection.execute(f'CREATE DATABASE "{name}"')
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}", query=""))


@contextmanager
def rabbitmq() -> Iterator[int]:
    """A RabbitMQ on loopback, fresh; answers its port. Raises `CannotMeasure`."""
    server = _rabbitmq_server()
    port, distribution, epmd, data = free_port(), free_port(), free_port(), BUILD / "rabbitmq-data"
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    env = {
        **_plain(),
        "PATH": f"{_erlang() / 'bin'}:{os.environ['PATH']}",
        "HOME": str(data),  # Erlang's cookie is made there
        "RABBITMQ_NODENAME": f"bench{port}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(distribution),
        "RABBITMQ_MNESIA_BASE": str(data / "mnesia"),
        "RABBITMQ_LOG_BASE": str(data / "log"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(data / "plugins"),
        "RABBITMQ_CONFIG_FILE": str(data / "none"),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_EPMD_PORT": str(epmd),
    }
    names = _erlang() / "bin" / "epmd"
    subprocess.run([names, "-daemon"], env=env, check=True)
    with (data / "output").open("wb") as output:
        process = subprocess.Popen(
            [server], env=env, cwd=data, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        _wait_for(port, process, data / "output")
        yield port
    finally:
        process.terminate()
        process.wait(30)
        subprocess.run([names, "-kill"], env=env, capture_output=True, check=False)


def _wait_for(port: int, process: subprocess.Popen[bytes], output: Path) -> None:
    ends = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < ends and process.poll() is None:
        if accepts(port):
            return
        time.sleep(0.2)
    raise CannotMeasure(f"RabbitMQ did not start; its output is in {output}")


def _unpacked() -> Path:
    """Debian's packages of RabbitMQ and Erlang, unpacked and not installed: nothing of the machine is changed."""
    root = BUILD / "rabbitmq"
    if not (root / "complete").is_file():
        print("  fetching RabbitMQ, 35 MB …", file=sys.stderr, flush=True)
        shutil.rmtree(root, ignore_errors=True)
        (root / "packages" / "partial").mkdir(parents=True)
        if shutil.which("apt-get") is None:
            raise CannotMeasure("RabbitMQ comes from Debian's packages, and there is no apt-get")
        fetch = ["apt-get", "install", "--no-install-recommends", "--download-only", "--yes", "--quiet=2"]
        done = subprocess.run(
            [*fetch, "-o", f"Dir::Cache::archives={root / 'packages'}", "rabbitmq-server"],
            stdout=sys.stderr,
            check=False,
        )
        if done.returncode:
            raise CannotMeasure("apt-get cannot fetch rabbitmq-server (apt-get update?)")
        for package in (root / "packages").glob("*.deb"):
            subprocess.run(["dpkg", "-x", package, root], stdout=sys.stderr, check=True)
        erlang = root / "usr" / "lib" / "erlang"
        for script in (erlang / "bin" / "erl", erlang / "bin" / "start"):
            if script.is_file():
                script.write_text(script.read_text().replace("ROOTDIR=/usr/lib/erlang", f"ROOTDIR={erlang}"))
        (root / "complete").touch()
    return root


def _erlang() -> Path:
    return _unpacked() / "usr" / "lib" / "erlang"


def _rabbitmq_server() -> Path:
    found = list((_unpacked() / "usr" / "lib" / "rabbitmq" / "lib").glob("rabbitmq_server-*/sbin/rabbitmq-server"))
    if len(found) != 1:
        raise CannotMeasure(f"no RabbitMQ under {BUILD}: apt-get downloads none where one is installed")
    return found[0]
