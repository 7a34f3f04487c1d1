"""Command and query hosts as docker/compose.yml runs them, without containers: same commands, variables and secrets.

Every process has nothing but what the composition gives it, and logs in to PostgreSQL as the role meant for it; the
engines are embedded ones of the test's own. With nginx on PATH the proxy's configuration is run as well.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import httpx
import psutil
import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from acme.devstack.engine import EngineServer
from acme.devstack.engines import find_all
from acme.devstack.home import Home
from acme.devstack.ports import free_port
from acme.devstack.process import die_with_parent
from tests.composition import DOCKER
from tests.e2e.composed import Composition

pytestmark = pytest.mark.timeout(300)

ADMIN = {"email": "admin@acme.test", "password": "an-admin-of-the-roles-7"}
PASSWORDS = {"command_password": "command-7", "projector_password": "projector-7"}
START_SECONDS = 60
# A first request waits for a server that still imports its views, on a machine that other tests share.
get, post = partial(httpx.get, timeout=START_SECONDS), partial(httpx.post, timeout=START_SECONDS)


def until(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not true():
        assert time.monotonic() < deadline, f"not after {START_SECONDS} s: {what}"
        time.sleep(0.05)


def make_roles(owner_url: str) -> None:
    """docker/postgres/roles.sql, with psql's variables filled in."""
    text = (DOCKER / "postgres" / "roles.sql").read_text()
    with psycopg.connect(owner_url, autocommit=True) as connection:
        for name, password in PASSWORDS.items():
            text = text.replace(f":'{name}'", sql.Literal(password).as_string(connection))
        connection.execute(text)


def owned(url: str, password: str) -> str:
    """The same database as the server's first user, who is a superuser as in the image."""
    return re.sub(r"//acme:[^@]*@", f"//postgres:{password}@", url)


def as_role(url: str, role: str, password: str) -> str:
    """The same database as another user, written as a URL is allowed to be: keywords and values."""
    return make_conninfo(**{**conninfo_to_dict(url), "user": role, "password": password})


@pytest.fixture(scope="module")
def engines() -> Iterator[Mapping[str, str]]:
    """Variable → URL; PostgreSQL, Kafka and MongoDB of this module's own, empty."""
    home = Home(Path(tempfile.mkdtemp(prefix="acme-roles-")))
    home.prepare()
    found = find_all(home, lambda line: None, {})
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, home.root, ignore_errors=True)
        for engine in found.ours:
            if engine.name != "redis":
                stack.callback(EngineServer(engine).start().stop)
        yield {**found.urls, "DATABASE_URL": owned(found.urls["DATABASE_URL"], home.secret("POSTGRES_ADMIN_PASSWORD"))}


@pytest.fixture(scope="module")
def composition(engines: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Composition]:
    owner = engines["DATABASE_URL"]
    make_roles(owner)
    home = Home(tmp_path_factory.mktemp("keys"))
    home.prepare()
    keys = home.secrets()
    values = {
        "OWNER_DATABASE_URL": owner,
        "COMMAND_DATABASE_URL": as_role(owner, "acme_command", PASSWORDS["command_password"]),
        "PROJECTOR_DATABASE_URL": as_role(owner, "acme_projector", PASSWORDS["projector_password"]),
        "PROJECTOR_MONGODB_URL": engines["MONGODB_URL"],
        "QUERY_MONGODB_URL": engines["MONGODB_URL"],
        "ADMIN_MONGODB_URL": engines["MONGODB_URL"],
        "ACME_ADMIN_PASSWORD": ADMIN["password"],
        "ACME_METRICS_TOKEN": "a-token-of-the-roles-7",
        **keys,
    }
    composed = Composition(tmp_path_factory.mktemp("composition"), values, engines["KAFKA_BOOTSTRAP_SERVERS"])
    try:
        composed.once("migrate")
        composed.once("create-topics")
        for service in ("command", "query", "admin", "relay", "projector"):
            composed.start(service)
        for service in ("command", "query", "admin"):
            until(lambda service=service: composed.healthy(service), f"{service} is healthy")
        yield composed
    finally:
        composed.stop()


@pytest.fixture(scope="module")
def staff(composition: Composition) -> dict[str, str]:
    """The header of a token that the command host minted."""
    answer = post(f"{composition.url('command')}/api/v1/auth/login", json=ADMIN)
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['access']}"}


def test_each_host_is_ready_by_its_own_engines(composition: Composition) -> None:
    command_side = get(f"{composition.url('command')}/readyz").json()
    query_side = get(f"{composition.url('query')}/readyz").json()
    assert (command_side["role"], set(command_side["engines"])) == ("command", {"postgresql", "kafka"})
    assert (query_side["role"], set(query_side["engines"])) == ("query", {"mongodb"})


def test_a_query_host_has_no_way_to_the_write_side(composition: Composition) -> None:
    process = psutil.Process(composition.running["query"].pid)
    for one in (process, *process.children(recursive=True)):
        assert not {"DATABASE_URL", "KAFKA_BOOTSTRAP_SERVERS", "ACME_JWT_PRIVATE_KEY"} & set(one.environ())
        remote = {connection.raddr.port for connection in one.net_connections() if connection.raddr}
        own = {int(composition.kafka.rpartition(":")[2])}
        assert not remote & own


def test_prometheus_reads_each_side_and_every_daemon(composition: Composition) -> None:
    """Web servers want the token, whatever name they are asked by; each side shows the state that it can reach."""
    token = {"Authorization": f"Bearer {composition.values['ACME_METRICS_TOKEN']}", "Host": "172.20.0.7:8000"}
    for service, state, other in (
        ("command", "acme_outbox_events", "acme_projection_lag_known"),
        ("query", "acme_projection_lag_known", "acme_outbox_events"),
    ):
        refused = get(f"{composition.url(service)}/metrics")
        assert (refused.status_code, refused.headers["content-type"]) == (403, "application/problem+json")
        url = f"{composition.url(service)}/metrics"
        until(lambda url=url, state=state: state in get(url, headers=token).text, f"{service} shows {state}")
        shown = get(url, headers=token)
        assert shown.status_code == 200
        assert other not in shown.text
    for service, state in (("projector", "acme_projection_lag_known"), ("relay", "acme_outbox_events")):
        url = f"http://127.0.0.1:{composition.metrics[service]}/metrics"
        # A scrape gives up on an engine that is slow, as it may be on a busy machine, and says so; the next one has it.
        until(lambda url=url, state=state: state in get(url).text, f"{service} shows {state}")


@pytest.mark.parametrize("path", ["products", "orders", "carts", "customers", "categories"])
def test_a_query_host_refuses_commands(composition: Composition, path: str) -> None:
    url = f"{composition.url('query')}/api/v1/{path}"
    answer = post(url, json={})
    assert answer.status_code in {404, 405}, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    if get(url).status_code != 404:  # carts are only ever read one by one
        assert answer.status_code == 405


@pytest.mark.parametrize("path", ["products", "orders", "customers", "categories"])
def test_a_command_host_refuses_queries(composition: Composition, path: str) -> None:
    answer = get(f"{composition.url('command')}/api/v1/{path}")
    assert answer.status_code == 405, answer.text
    assert answer.headers["allow"] == "OPTIONS, POST"


def test_a_token_of_the_command_host_opens_the_query_host(composition: Composition, staff: dict[str, str]) -> None:
    assert get(f"{composition.url('query')}/api/v1/stock").status_code == 401
    assert get(f"{composition.url('query')}/api/v1/stock", headers=staff).status_code == 200
    assert get(f"{composition.url('query')}/api/v1/me", headers=staff).json()["roles"] == [
        "customer",
        "staff",
        "superuser",
    ]


def test_what_one_host_writes_the_other_reads(composition: Composition, staff: dict[str, str]) -> None:
    body = {
        "name": "Two-sided Coin",
        "publish": True,
        "variants": [{"sku": "COIN", "price": {"amount_minor": 100, "currency": "GBP"}}],
    }
    made = post(f"{composition.url('command')}/api/v1/products", json=body, headers=staff)
    assert made.status_code == 201, made.text
    fresh = {"Consistency-Token": made.headers["Consistency-Token"], "Prefer": "wait=30"}
    read = get(f"{composition.url('query')}{made.headers['Location']}", headers=fresh, timeout=60)
    assert read.status_code == 200, read.text
    assert read.json()["name"] == "Two-sided Coin"


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        ("COMMAND", "CREATE TABLE mine (id integer)"),
        ("COMMAND", "TRUNCATE domain_event"),
        ("COMMAND", "DROP TABLE domain_event"),
        ("PROJECTOR", "CREATE TABLE mine (id integer)"),
        ("PROJECTOR", "DELETE FROM data_subject_key"),
        ("PROJECTOR", "UPDATE domain_event SET sequence = 1"),
    ],
)
def test_database_roles_are_refused_what_is_not_theirs(composition: Composition, role: str, statement: str) -> None:
    with (
        psycopg.connect(composition.values[f"{role}_DATABASE_URL"]) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(statement)


@contextmanager
def logged_in(url: str) -> Iterator[httpx.Client]:
    """A browser in the admin. Its cookies are for https, which the proxy before the composition speaks."""
    with httpx.Client(base_url=url, follow_redirects=True, timeout=30) as client:

        def without_tls(_: httpx.Response) -> None:
            for cookie in client.cookies.jar:
                cookie.secure = False

        client.event_hooks = {"response": [without_tls]}
        press(client, "/admin/login/?next=/admin/", username=ADMIN["email"], password=ADMIN["password"])
        yield client


def press(client: httpx.Client, address: str, **data: str) -> str:
    """Sends a form of the admin as a browser does; the page that follows."""
    client.get("/admin/login/")
    answer = client.post(address, data={"csrfmiddlewaretoken": client.cookies["csrftoken"], **data})
    assert answer.status_code == 200, answer.text
    return answer.text


def test_the_admin_of_projections_works_with_what_its_host_has(composition: Composition) -> None:
    with logged_in(composition.url("admin")) as client:
        until(lambda: 'class="state running"' in client.get("/admin/projections/projection/").text, "one runs")
        paused = press(client, "/admin/projections/projection/products/pause/", reason="of the roles")
        assert f"by {ADMIN['email']}: of the roles" in paused  # written to MongoDB, and to the log in PostgreSQL
        assert ">Pause<" in press(client, "/admin/projections/projection/products/resume/")
        assert "None" in client.get("/admin/projections/deadletter/").text
    with logged_in(composition.url("command")) as client:
        answer = client.get("/admin/projections/projection/")
        assert answer.status_code == 503 and "This process knows no MongoDB" in answer.text
    assert get(f"{composition.url('query')}/admin/").status_code == 404


@pytest.fixture
def proxy(composition: Composition, tmp_path: Path) -> Iterator[str]:
    """nginx with the composition's configuration, the names of its upstreams replaced; its URL."""
    nginx = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if nginx is None:
        pytest.skip("nginx is not installed")
    port = free_port()
    text = (DOCKER / "nginx" / "nginx.conf").read_text().replace("/tmp/", f"{tmp_path}/").replace(  # noqa: S108
        "listen 8080;", f"listen 127.0.0.1:{port};"
    )  # fmt: skip
    for service in ("command", "query", "admin"):
        text = text.replace(f"server {service}:8000;", f"server 127.0.0.1:{composition.ports[service]};")
    configuration = tmp_path / "nginx.conf"
    configuration.write_text(text.replace("/dev/stdout", str(tmp_path / "access.log")))
    process = subprocess.Popen(
        [nginx, "-c", str(configuration), "-p", str(tmp_path), "-g", "daemon off;"], preexec_fn=die_with_parent
    )
    url = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        try:
            return get(f"{url}/healthz").json()["role"] == "proxy"
        except httpx.TransportError:
            return False

    until(answers, "nginx answers")
    yield url
    process.terminate()
    process.wait(10)


def test_the_proxy_makes_one_shop_of_the_two(proxy: str, staff: dict[str, str]) -> None:
    with httpx.Client(base_url=proxy, headers=staff, timeout=60) as client:
        made = client.post("/api/v1/categories", json={"name": "Behind the proxy"})
        assert made.status_code == 201, made.text
        token = {"Consistency-Token": made.headers["Consistency-Token"], "Prefer": "wait=30"}
        read = client.get(made.headers["Location"], headers=token)
        assert read.status_code == 200, read.text
        changed = client.patch(made.headers["Location"], json={"name": "B"}, headers={"If-Match": read.headers["ETag"]})
        assert changed.status_code == 200, changed.text
        assert client.head("/api/v1/products").status_code == 200
        assert client.get("/admin/login/").status_code == 200
        assert client.get("/static/admin/css/base.css").status_code == 200
        assert client.get("/api/docs").status_code == 200
        assert client.get("/readyz").status_code == 404
        for address in ("/metrics", "//metrics", "/%6detrics", "/api/../metrics"):
            assert client.get(proxy + address).status_code == 404
        big = client.post("/api/v1/categories", content=b"x" * (5 * 1024 * 1024))
        assert (big.status_code, big.json()["code"]) == (413, "body-too-big")
