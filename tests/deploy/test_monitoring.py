"""Rules, dashboard and runbooks speak of metrics that exist, and of each other."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.asked import DEPLOY, NAME, ROOT, RULES, RUNBOOKS, alerts, dashboard, expressions, rules
from tests.deploy.exposed import console_exposition, labels_by_name, replay_exposition, worker_exposition
from tests.promtool import promtool

#: What Prometheus itself adds to each scrape, and the alerts that fire.
BUILT_IN = {"up": {"job", "instance"}}
#: Labels that Prometheus adds to all that it scrapes.
TARGET = {"job", "instance", "le"}
SECTIONS = ["## Meaning", "## Impact", "## Diagnosis", "## Mitigation"]


@pytest.fixture(scope="module")
def exposed() -> dict[str, set[str]]:
    """Names and labels of all metrics, those of recording rules included."""
    text = worker_exposition()
    known = labels_by_name(text) | labels_by_name(console_exposition()) | labels_by_name(replay_exposition())
    return known | BUILT_IN | {rule["record"]: set() for rule in rules() if "record" in rule}


def test_every_metric_that_is_asked_for_exists(exposed: dict[str, set[str]]) -> None:
    """A name that is misspelt, or that was renamed in the code, would leave a panel empty and an alert silent."""
    asked = {(where, name) for where, expression in expressions() for name in NAME.findall(expression)}
    assert len({name for _, name in asked}) > 40
    assert not [(where, name) for where, name in asked if name not in exposed]


def test_every_label_that_is_asked_for_exists(exposed: dict[str, set[str]]) -> None:
    """Matchers and groupings name labels that the metrics have."""
    labels = set().union(*exposed.values()) | TARGET
    for where, expression in expressions():
        grouped = re.findall(r"\b(?:by|on|without) ?\(([^)]*)\)", expression)
        matched = re.findall(r"(\w+)(?:=~|!=|!~|=)\"", expression)
        named = {label.strip() for group in grouped for label in group.split(",")} | set(matched)
        assert named <= labels, where


def test_worker_metrics_are_well_formed() -> None:
    """Promtool finds no fault with names, units and help texts."""
    promtool("check", "metrics", given=worker_exposition().encode())


def test_a_misspelt_metric_would_be_found() -> None:
    """The pattern by which names are found knows them in all places of an expression."""
    expression = 'sum by (le) (rate(shopwarden_x_bucket{job="up"}[5m])) / shopwarden:y:z > up and process_a{b="c"} == 1'
    assert NAME.findall(expression) == ["shopwarden_x_bucket", "shopwarden:y:z", "up", "process_a"]


def test_rules_are_valid() -> None:
    """Promtool finds no fault."""
    promtool("check", "rules", *RULES)


def test_expressions_of_the_dashboard_are_valid(tmp_path: Path) -> None:
    """Promtool reads all of them, as if they were rules."""
    found = [{"record": f"panel:{number}", "expr": each} for number, (_, each) in enumerate(expressions())]
    path = tmp_path / "dashboard.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": found}]}))
    assert f"{len(found)} rules found" in promtool("check", "rules", path)


def test_rules_fire_when_they_should() -> None:
    """The rules' own tests pass."""
    promtool("test", "rules", *sorted((DEPLOY / "prometheus" / "tests").glob("*.yml")))


def test_every_alert_is_tested() -> None:
    """Each is named by a rules' test where it fires."""
    text = "".join(path.read_text() for path in (DEPLOY / "prometheus" / "tests").glob("*.yml"))
    assert not [alert["alert"] for alert in alerts() if f'"{alert["alert"]}"' not in text]


def test_prometheus_takes_its_configuration() -> None:
    """Promtool finds no fault (the rules' files lie elsewhere in the container)."""
    promtool("check", "config", "--syntax-only", DEPLOY / "prometheus" / "prometheus.yml")


def test_jobs_are_those_of_the_rules() -> None:
    """Rules select by names of jobs that are scraped."""
    config = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    jobs = {job["job_name"] for job in config["scrape_configs"]}
    asked = {job for _, expression in expressions() for job in re.findall(r'job="([^"]+)"', expression)}
    assert asked <= jobs


@pytest.mark.parametrize("alert", [pytest.param(each, id=each["alert"]) for each in alerts()])
def test_every_alert_has_its_runbook(alert: dict[str, Any]) -> None:
    """With what it means, what it does to whom, how to find the cause and what to do; and words for who is paged."""
    page = ROOT / alert["annotations"]["runbook_url"]
    assert page.name == f"{alert['alert']}.md"
    text = page.read_text()
    assert text.startswith(f"# {alert['alert']}\n")
    assert [line for line in text.splitlines() if line.startswith("## ")] == SECTIONS
    assert all(len(part.strip()) > 40 for part in re.split(r"^## \w+$", text, flags=re.MULTILINE)[1:])
    assert alert["labels"]["severity"] in ("page", "ticket")
    assert alert["annotations"]["summary"]
    assert alert["annotations"]["description"].endswith(".")


def test_the_list_of_runbooks_is_complete() -> None:
    """Each alert is in the list, with its severity and summary."""
    text = (RUNBOOKS / "README.md").read_text()
    for alert in alerts():
        assert f"| [{alert['alert']}]({alert['alert']}.md) | {alert['labels']['severity']} |" in text


def test_every_runbook_has_its_alert() -> None:
    """No page is left of an alert that is gone."""
    assert {page.stem for page in RUNBOOKS.glob("Shopwarden*.md")} == {alert["alert"] for alert in alerts()}


def test_runbooks_name_metrics_that_exist(exposed: dict[str, set[str]]) -> None:
    """What people are told to look at is there."""
    for page in RUNBOOKS.glob("*.md"):
        for name in re.findall(r"(?<!\{)shopwarden[_:][\w:]+", page.read_text()):
            assert name in exposed, f"{page.name}: {name}"


def test_panels_are_laid_out() -> None:
    """Each has an id, a title and words of its own, lies within the grid and covers no other."""
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells
        assert panel["title"]
        assert panel["type"] == "row" or (panel["description"] and panel["targets"])
        if panel["type"] != "row":
            assert panel["fieldConfig"]["defaults"]["unit"]


def test_grafana_finds_what_is_provisioned() -> None:
    """The dashboard's data source is one of Prometheus, chosen by a variable, as is the provisioned one."""
    source = yaml.safe_load((DEPLOY / "grafana/provisioning/datasources/prometheus.yml").read_text())["datasources"][0]
    assert source["type"] == "prometheus"
    variables = {each["name"]: each for each in dashboard()["templating"]["list"]}
    assert variables["datasource"]["query"] == source["type"]
    for panel in dashboard()["panels"]:
        for target in panel.get("targets", []):
            assert target["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
