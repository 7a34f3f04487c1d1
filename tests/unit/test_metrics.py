"""Declarations, docs/metrics.md, alert rules and dashboard name the same metrics; promtool checks the rules."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import Any

import pytest
import yaml
from prometheus_client import generate_latest

from acme.metrics import DECLARED, Declared, as_markdown
from tests.composition import COMPOSE, DOCKER, PROJECT

PROMETHEUS = DOCKER / "prometheus"
DASHBOARD: dict[str, Any] = json.loads((DOCKER / "grafana" / "dashboards" / "acme.json").read_text())
RULES: list[dict[str, Any]] = [
    rule
    for file in (PROMETHEUS / "rules").glob("*.yml")
    for group in yaml.safe_load(file.read_text())["groups"]
    for rule in group["rules"]
]
SUFFIXES = {"histogram": ("_bucket", "_sum", "_count")}
#: Name of a series → the metric it belongs to.
SERIES = {one.name + suffix: one for one in DECLARED for suffix in SUFFIXES.get(one.kind, ("",))}
#: Labels that Prometheus adds, and that of a histogram's buckets.
ADDED = {"job", "instance", "le"}


def dashboard_expressions() -> dict[str, str]:
    """``title of the panel/letter`` → expression."""
    return {
        f"{panel['title']}/{target['refId']}": target["expr"]
        for panel in DASHBOARD["panels"]
        for target in panel.get("targets", [])
    }


EXPRESSIONS = {f"alert {rule['alert']}": rule["expr"] for rule in RULES} | dashboard_expressions()


def asked(expression: str) -> set[str]:
    return set(re.findall(r"\bacme_\w+", expression))


def unknown_in(expression: str) -> set[str]:
    """Series and labels of a PromQL expression that nothing here exports."""
    names = asked(expression)
    wrong = names - SERIES.keys()
    known = ADDED.union(*(SERIES[name].labels for name in names - wrong)) if names - wrong else ADDED
    for name, matchers in re.findall(r"\b(acme_\w+)\{([^}]*)\}", expression):
        labels = set(re.findall(r"(\w+)\s*[=!]", matchers))
        wrong |= labels - set(SERIES[name].labels) - ADDED if name in SERIES else set()
    for grouping in re.findall(r"\bby \(([^)]*)\)", expression):
        wrong |= {label.strip() for label in grouping.split(",")} - known
    return wrong


@pytest.mark.parametrize("where", sorted(EXPRESSIONS))
def test_rules_and_dashboard_ask_for_what_is_exported(where: str) -> None:
    assert not unknown_in(EXPRESSIONS[where]), EXPRESSIONS[where]


@pytest.mark.parametrize(
    ("expression", "wrong"),
    [
        ("max(acme_projection_lag)", {"acme_projection_lag"}),
        ("rate(acme_http_request_seconds[5m])", {"acme_http_request_seconds"}),
        ('acme_outbox_events{state="x"}', {"state"}),
        ("max by (projection) (acme_outbox_events)", {"projection"}),
    ],
)
def test_a_name_that_nobody_exports_is_found(expression: str, wrong: set[str]) -> None:
    assert unknown_in(expression) == wrong


@pytest.mark.parametrize("declared", DECLARED, ids=lambda one: one.name)
def test_every_metric_is_in_the_dashboard(declared: Declared) -> None:
    shown = {SERIES[name].name for expression in dashboard_expressions().values() for name in asked(expression)}
    assert declared.name in shown


@pytest.mark.parametrize("declared", DECLARED, ids=lambda one: one.name)
def test_names_follow_the_conventions(declared: Declared) -> None:
    assert re.fullmatch(r"acme(_[a-z]+)+", declared.name)
    assert declared.name.endswith("_total") == (declared.kind == "counter")
    assert declared.kind != "histogram" or declared.name.endswith("_seconds")
    assert declared.meaning.endswith(".")
    assert not {"job", "instance", "le"} & set(declared.labels)


def test_no_name_is_declared_twice() -> None:
    assert len({one.name for one in DECLARED}) == len(DECLARED)


def test_what_is_declared_is_exported() -> None:
    exported = dict(re.findall(r"^# TYPE (acme_\w+) (\w+)$", generate_latest().decode(), re.MULTILINE))
    assert exported == {one.name: one.kind for one in DECLARED if one.kind != "state"}


def test_the_document_is_what_the_declarations_make() -> None:
    text = (PROJECT / "docs" / "metrics.md").read_text()
    assert text == as_markdown(), "python -m acme.metrics > docs/metrics.md"


def test_an_alert_for_each_cause_and_no_other() -> None:
    assert {rule["alert"] for rule in RULES} == {
        "DeadLetters",
        "LagHigh",
        "LagUnknown",
        "ProjectorSilent",
        "PartitionBlocked",
        "PublisherHalted",
        "PublisherStandsStill",
    }
    assert all(rule["annotations"].keys() == {"summary", "description"} for rule in RULES)


def test_prometheus_finds_every_process_that_shows_metrics() -> None:
    configuration = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())
    found = {
        job["dns_sd_configs"][0]["names"][0]: (job["dns_sd_configs"][0]["port"], "authorization" in job)
        for job in configuration["scrape_configs"]
    }
    daemons = {
        name: (int(service["environment"]["ACME_METRICS_PORT"]), False)
        for name, service in COMPOSE["services"].items()
        if "ACME_METRICS_PORT" in service.get("environment", {})
    }
    assert found == {**daemons, **dict.fromkeys(("command", "query", "admin"), (8000, True))}
    assert daemons.keys() == {"projector", "relay", "worker", "beat"}
    networks = set(COMPOSE["services"]["prometheus"]["networks"])
    assert all(networks & set(COMPOSE["services"][name]["networks"]) for name in found)


def test_the_dashboard_asks_the_source_that_is_provisioned() -> None:
    sources = yaml.safe_load((DOCKER / "grafana/provisioning/datasources/prometheus.yml").read_text())["datasources"]
    uids = {panel["datasource"]["uid"] for panel in DASHBOARD["panels"] if "datasource" in panel}
    assert uids == {source["uid"] for source in sources}
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])


def promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed (Debian: the package prometheus)")
    return subprocess.run(["promtool", *arguments], cwd=PROMETHEUS, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "arguments",
    [("check", "config", "--syntax-only", "prometheus.yml"), ("check", "rules", "rules/acme.yml")],
    ids=lambda words: words[1],
)
def test_promtool_accepts_the_files(arguments: tuple[str, ...]) -> None:
    done = promtool(*arguments)
    assert done.returncode == 0, done.stdout + done.stderr


def test_alerts_fire_for_their_causes_alone() -> None:
    done = promtool("test", "rules", "rules.test.yml")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("max by (projection) (acme_projection_parked_events) > 0", "acme_projection_parked_events > 0"),
        ("acme_projection_lag_seconds) > 60", "acme_projection_lag_seconds) > 6000"),
        (" or absent(acme_projection_lag_known)", ""),
        ("(acme_projection_workers) == 0", "(acme_projection_workers) == 1"),
        ("(projection, kind) (acme_projection_blocked", "(projection) (acme_projection_blocked"),
        ("max(acme_publisher_halted) == 1 or ", ""),
        (" or sum(increase(acme_events_published_total[1m])) > 0", ""),
    ],
)
def test_a_broken_rule_is_noticed(right: str, wrong: str, tmp_path: Any) -> None:
    rules = (PROMETHEUS / "rules" / "acme.yml").read_text()
    assert right in rules
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "acme.yml").write_text(rules.replace(right, wrong))
    shutil.copy(PROMETHEUS / "rules.test.yml", tmp_path)
    done = promtool("test", "rules", str(tmp_path / "rules.test.yml"))
    assert done.returncode == 1, done.stdout
