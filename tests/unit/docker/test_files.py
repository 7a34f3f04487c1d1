"""The files under docker/ hold together, and give each process only what it needs."""

from __future__ import annotations

import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from projections.alerting import book
from projections.history import samples
from projections.verification import record
from tests.composition import COMPOSE, DOCKER, OURS, PROJECT, SERVICES, command, names, secrets

WRITE_SIDE = {"DATABASE_URL", "KAFKA_BOOTSTRAP_SERVERS", "CELERY_BROKER_URL", "ACME_JWT_PRIVATE_KEY"}


def test_a_query_host_is_given_the_documents_and_the_public_key_alone() -> None:
    plain = {"ACME_ROLE", "ACME_ALLOWED_HOSTS", "ACME_CURRENCY", "ACME_TIME_ZONE"}
    assert names("query") == plain | {"MONGODB_URL", "ACME_JWT_PUBLIC_KEY", "ACME_METRICS_TOKEN"}
    assert secrets("query")["MONGODB_URL"] == "QUERY_MONGODB_URL", "the user who only reads"
    assert set(SERVICES["query"]["networks"]) == {"edge", "read"}


def test_a_command_host_does_not_reach_mongodb() -> None:
    assert "MONGODB_URL" not in names("command")
    assert "read" not in SERVICES["command"]["networks"]


def test_the_admin_sees_both_sides_and_writes_documents_of_neither() -> None:
    assert secrets("admin")["DATABASE_URL"] == "COMMAND_DATABASE_URL"
    assert secrets("admin")["MONGODB_URL"] == "ADMIN_MONGODB_URL"
    role = re.search(r"const asked = (\[.*?\])\.map", (DOCKER / "mongo" / "init.js").read_text(), re.DOTALL)
    assert role
    collections = re.findall(r'"(projection_\w+)"', role[1])
    assert collections == ["projection_requests", "projection_dead_letters", "projection_pointers"]


def test_celery_s_tasks_read_mongodb_as_a_user_of_their_own_and_may_leave_the_machine() -> None:
    assert secrets("worker")["MONGODB_URL"] == "ALERTS_MONGODB_URL"
    script = (DOCKER / "mongo" / "init.js").read_text()
    role = re.search(r'hasRole\("acme_alerts", \[(.*)\]\)', script)
    assert role
    written = [re.search(rf'const {name} = .*collection: "(\w+)"', script) for name in role[1].split(", ")]
    assert [one[1] for one in written if one] == [book.COLLECTION, samples.COLLECTION, record.COLLECTION]
    outside = {name for name, network in COMPOSE["networks"].items() if not (network or {}).get("internal")}
    assert set(SERVICES["worker"]["networks"]) & outside == {"outside"}
    assert [name for name, service in SERVICES.items() if "outside" in service["networks"]] == ["worker"]


@pytest.mark.parametrize("service", sorted(OURS.keys() - {"command"}))
def test_only_the_command_host_can_mint_tokens(service: str) -> None:
    assert "ACME_JWT_PRIVATE_KEY" not in names(service)


@pytest.mark.parametrize("service", sorted(OURS.keys() - {"migrate"}))
def test_only_the_migration_owns_the_tables(service: str) -> None:
    assert "OWNER_DATABASE_URL" not in secrets(service).values()


def test_engines_are_on_inner_networks_and_publish_no_port() -> None:
    inner = {name for name, network in COMPOSE["networks"].items() if (network or {}).get("internal")}
    for name in ("postgres", "kafka", "mongo", "redis"):
        assert set(SERVICES[name]["networks"]) <= inner
        assert "ports" not in SERVICES[name]
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert set(published) == {"proxy", "prometheus", "grafana"}
    assert all(port.startswith("127.0.0.1:") for ports in published.values() for port in ports)


@pytest.mark.parametrize("service", sorted(OURS))
def test_our_processes_are_confined(service: str) -> None:
    ours = OURS[service]
    assert ours["read_only"]
    assert ours["cap_drop"] == ["ALL"]
    assert ours["deploy"]["resources"]["limits"]["memory"]
    assert ours.get("healthcheck") or service in {"command", "query", "admin"}, (
        "else the image's check of a web server applies"
    )


def test_what_a_celery_task_counts_is_counted_where_it_is_shown() -> None:
    words = command("worker")
    assert words[words.index("--pool") + 1] == "threads", "a pool of processes would count in others"


def test_every_secret_is_declared_made_and_used() -> None:
    declared = set(COMPOSE["secrets"])
    used = {name for service in SERVICES for name in secrets(service).values()}
    maker = (DOCKER / "make-secrets.sh").read_text()
    assert used == declared
    assert not [name for name in declared if not re.search(rf"\b{name}\b", maker)]


def test_kafka_is_the_one_that_the_tests_run_on() -> None:
    pom = (PROJECT / "tests" / "kafka" / "pom.xml").read_text()
    assert re.findall(r"<kafka.version>(.+)</kafka.version>", pom) == [SERVICES["kafka"]["image"].split(":")[1]]


def test_every_mounted_file_is_there() -> None:
    mounts = [volume for service in SERVICES.values() for volume in service.get("volumes", []) if volume[0] == "."]
    assert mounts
    for mount in mounts:
        assert (DOCKER / mount.split(":")[0]).is_file(), mount


def test_dependencies_name_services_and_conditions_that_can_come_true() -> None:
    for name, service in SERVICES.items():
        for other, wanted in service.get("depends_on", {}).items():
            needed = SERVICES[other]
            if wanted["condition"] == "service_completed_successfully":
                assert needed["restart"] == "on-failure:3", f"{name} waits for the end of {other}"
            else:
                assert not needed.get("healthcheck", {}).get("disable"), f"{name} waits for the health of {other}"


def test_the_image_has_the_runtime_and_no_embedded_engine() -> None:
    dockerfile = (DOCKER / "Dockerfile").read_text()
    sources = re.findall(r"^COPY (?:--chmod=\d+ )?([\w./]+) ", dockerfile, re.MULTILINE)
    ignored = (DOCKER / "Dockerfile.dockerignore").read_text().splitlines()
    assert {"requirements.txt", "manage.py", "acme", "commands", "projections", "queries"} <= set(sources)
    for source in sources:
        assert (PROJECT / source).exists(), source
        assert f"!{source}" in ignored, f"{source} is kept out of the build"
    assert "requirements-engines" not in dockerfile
    assert re.search(r"^USER 10001", dockerfile, re.MULTILINE)


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A directory of secrets, made by a copy of the script."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    shutil.copy(DOCKER / "make-secrets.sh", tmp_path)
    subprocess.run([tmp_path / "make-secrets.sh"], check=True, capture_output=True)
    return tmp_path / "secrets"


def test_secrets_are_made_once_in_a_private_directory(made: Path) -> None:
    assert {file.name for file in made.iterdir()} == set(COMPOSE["secrets"])
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    before = {file.name: file.read_bytes() for file in made.iterdir()}
    subprocess.run([made.parent / "make-secrets.sh"], check=True, capture_output=True)
    assert {file.name: file.read_bytes() for file in made.iterdir()} == before


def test_made_keys_sign_and_verify(made: Path) -> None:
    import jwt

    signed = jwt.encode({"sub": "somebody"}, (made / "ACME_JWT_PRIVATE_KEY").read_text(), algorithm="EdDSA")
    assert jwt.decode(signed, (made / "ACME_JWT_PUBLIC_KEY").read_text(), algorithms=["EdDSA"])["sub"] == "somebody"


def test_the_entry_point_turns_files_into_variables(tmp_path: Path) -> None:
    (tmp_path / "DATABASE_URL").write_text("postgresql://somebody:p%20w@host/acme")
    (tmp_path / "ACME_JWT_PUBLIC_KEY").write_text("-----BEGIN\nsecond line\n")
    script = 'printf "%s|%s" "$DATABASE_URL" "$ACME_JWT_PUBLIC_KEY"'
    done = subprocess.run(
        [DOCKER / "entrypoint.sh", "sh", "-c", script],
        env={"PATH": "/usr/bin:/bin", "ACME_SECRETS": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "postgresql://somebody:p%20w@host/acme|-----BEGIN\nsecond line"
