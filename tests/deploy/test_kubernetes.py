"""The manifests: valid by Kubernetes' own schemas, hardened, and true to the program that they run."""

import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from config.settings import Settings, load_settings
from tests.test_compose import parse

FOLDER = Path(__file__).parents[2] / "deploy" / "kubernetes"
#: The oldest version that is still looked after, and the newest that the validator knows.
VERSIONS = ("1.33", kubernetes_validate.latest_version())
NAME = "app.kubernetes.io/name"

Manifest = dict[str, Any]


def manifests() -> list[Manifest]:
    """Every object, the kustomization not among them."""
    return [
        manifest
        for path in sorted(FOLDER.glob("*.yaml"))
        if path.name != "kustomization.yaml"
        for manifest in yaml.safe_load_all(path.read_text())
    ]


def named(kind: str, name: str) -> Manifest:
    """One object."""
    (found,) = [each for each in manifests() if each["kind"] == kind and each["metadata"]["name"] == name]
    return found


def pods() -> Iterator[tuple[str, Manifest]]:
    """Templates of pods, by their component."""
    for manifest in manifests():
        template = manifest.get("spec", {}).get("template")
        if template:
            yield template["metadata"]["labels"]["app.kubernetes.io/component"], template


def each_manifest() -> list[Any]:
    """As parameters of tests."""
    return [pytest.param(each, id=f"{each['kind']}-{each['metadata']['name']}") for each in manifests()]


def each_pod() -> list[Any]:
    """As parameters of tests."""
    return [pytest.param(template, id=component) for component, template in pods()]


def settings_of(template: Manifest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Settings:
    """What a pod's process would read: the ConfigMap's file and its variables, with a file for each secret."""
    secret = tmp_path / "secret"
    secret.write_text("a secret of more than twenty-four characters")
    document = (FOLDER / "shopwarden.toml").read_text().replace("/run/secrets/shopwarden/", f"{tmp_path}/")
    for name in ("pseudonym_key", "kafka_password", "redis_password"):
        (tmp_path / name).write_text(secret.read_text())
    config = tmp_path / "shopwarden.toml"
    config.write_text(document)
    for variable in template["spec"]["containers"][0]["env"]:
        value = variable["value"]
        if variable["name"].endswith("_FILE"):
            value = str(secret)
        monkeypatch.setenv(variable["name"], str(config) if variable["name"] == "SHOPWARDEN_CONFIG" else value)
    return load_settings()


@pytest.mark.parametrize("manifest", each_manifest())
@pytest.mark.parametrize("version", VERSIONS)
def test_manifests_are_valid(manifest: Manifest, version: str) -> None:
    """By the schemas of Kubernetes, unknown fields refused."""
    kubernetes_validate.validate(manifest, version, strict=True)


def test_a_faulty_manifest_would_be_found() -> None:
    """The validator refuses a misspelt field and a wrong type."""
    for change in ({"replica": 4}, {"replicas": "four"}):
        manifest = named("Deployment", "shopwarden-worker")
        manifest["spec"] |= change
        with pytest.raises(kubernetes_validate.ValidationError):
            kubernetes_validate.validate(manifest, VERSIONS[-1], strict=True)


def test_kustomization_has_everything() -> None:
    """Each file is a resource, and each resource a file."""
    kustomization = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
    assert set(kustomization["resources"]) == {path.name for path in FOLDER.glob("*.yaml")} - {"kustomization.yaml"}
    for generator in kustomization["configMapGenerator"]:
        assert all((FOLDER / file).exists() for file in generator["files"])


def test_kubectl_builds_it() -> None:
    """`kubectl kustomize` makes the same objects, with the ConfigMap beside them."""
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed")
    done = subprocess.run(["kubectl", "kustomize", str(FOLDER)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    built = list(yaml.safe_load_all(done.stdout))
    assert len(built) == len(manifests()) + 1
    for manifest in built:
        kubernetes_validate.validate(manifest, VERSIONS[-1], strict=True)
        assert manifest["kind"] == "Namespace" or manifest["metadata"]["namespace"] == "shopwarden"


@pytest.mark.parametrize("template", each_pod())
def test_pods_are_restricted(template: Manifest) -> None:
    """What the Pod Security Standard `restricted` asks for, and more: no token, only /tmp and volumes to write to."""
    spec = template["spec"]
    assert spec["securityContext"]["runAsNonRoot"]
    assert spec["securityContext"]["runAsUser"] == 10001
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["automountServiceAccountToken"] is False
    assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys()
    for container in spec["containers"]:
        context = container["securityContext"]
        assert context == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert {"cpu", "memory"} <= container["resources"]["requests"].keys()
        assert "memory" in container["resources"]["limits"]
        mounts = {mount["name"]: mount for mount in container["volumeMounts"]}
        assert mounts.keys() == {volume["name"] for volume in spec["volumes"]}
        for volume in spec["volumes"]:
            if "secret" in volume or "configMap" in volume:
                assert mounts[volume["name"]]["readOnly"]


def test_the_user_is_that_of_the_image() -> None:
    """Files in the image belong to the user that pods run as."""
    dockerfile = (FOLDER.parents[1] / "Dockerfile").read_text()
    assert "--uid 10001" in dockerfile


@pytest.mark.parametrize("template", each_pod())
def test_pods_run_commands_that_exist(template: Manifest) -> None:
    """Their arguments are a command of ours."""
    parse(list(template["spec"]["containers"][0]["args"]))


@pytest.mark.parametrize("template", each_pod())
def test_settings_are_valid(template: Manifest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The ConfigMap's file and the variables are settings; metrics are where they are scraped and probed."""
    settings = settings_of(template, monkeypatch, tmp_path)
    assert settings.pseudonym_key is not None
    assert settings.kafka.sasl_password is not None
    ports = {port["name"]: port["containerPort"] for port in template["spec"]["containers"][0].get("ports", [])}
    if "metrics" in ports:
        assert settings.telemetry.port == ports["metrics"]
        assert settings.telemetry.address == "0.0.0.0"  # noqa: S104 - of a pod
        assert template["metadata"]["annotations"]["prometheus.io/port"] == str(ports["metrics"])
    if "http" in ports:
        assert settings.console.port == ports["http"]
        assert not settings.console.local


def test_a_worker_has_the_time_that_it_needs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is killed only after its own deadline for stopping, and probed to death only after its own watchdog."""
    template = dict(pods())["worker"]
    settings = settings_of(template, monkeypatch, tmp_path)
    assert template["spec"]["terminationGracePeriodSeconds"] >= settings.worker.shutdown_deadline_s + 10
    (container,) = template["spec"]["containers"]
    liveness, startup = container["livenessProbe"], container["startupProbe"]
    patience = liveness["periodSeconds"] * liveness["failureThreshold"]
    assert patience > settings.worker.stuck_after_s
    assert startup["periodSeconds"] * startup["failureThreshold"] > settings.worker.start_wait_s
    assert {liveness["httpGet"]["path"], startup["httpGet"]["path"]} == {"/health"}
    assert container["readinessProbe"]["httpGet"]["path"] == "/ready"
    assert "cpu" not in container["resources"]["limits"]


def test_there_is_work_for_every_worker() -> None:
    """No more workers than partitions; and one may always be missing."""
    partitions = tomllib.loads((FOLDER / "shopwarden.toml").read_text())["topics"]["partitions"]
    worker = named("Deployment", "shopwarden-worker")
    assert 1 < worker["spec"]["replicas"] <= partitions
    assert named("PodDisruptionBudget", "shopwarden-worker")["spec"]["maxUnavailable"] == 1


def test_selectors_find_their_pods() -> None:
    """Of deployments, services, budgets and policies: each selects pods that there are, and none of another kind."""
    labels = [template["metadata"]["labels"] for _, template in pods()]
    for manifest in manifests():
        spec = manifest.get("spec", {})
        selector = spec.get("selector") or spec.get("podSelector")
        if selector is None or manifest["kind"] == "PersistentVolumeClaim":
            continue
        wanted = selector.get("matchLabels", selector)
        found = [each for each in labels if wanted.items() <= each.items()]
        assert found, manifest["metadata"]["name"]
        for expression in selector.get("matchExpressions", []) if "matchLabels" in selector else []:
            assert set(expression["values"]) <= {each[expression["key"]] for each in labels}


@pytest.mark.parametrize("component", ["worker", "console"])
def test_the_network_lets_through_what_is_needed(component: str) -> None:
    """Kafka and Redis at the ports of the settings, metrics for Prometheus, nothing else in."""
    config = tomllib.loads((FOLDER / "shopwarden.toml").read_text())
    spec = named("NetworkPolicy", f"shopwarden-{component}")["spec"]
    assert spec["policyTypes"] == ["Ingress", "Egress"]
    out = {port["port"] for rule in spec["egress"] for port in rule["ports"]}
    needed = {
        int(config["kafka"]["brokers"].rpartition(":")[2]),
        int(config["redis"]["url"].rpartition(":")[2].partition("/")[0]),
    }
    assert needed | {53} <= out
    inward = {port["port"] for rule in spec["ingress"] for port in rule["ports"]}
    ports = {port["containerPort"] for port in dict(pods())[component]["spec"]["containers"][0]["ports"]}
    assert inward == ports
    assert all(rule.get("from") for rule in spec["ingress"])
    assert all(rule.get("to") for rule in spec["egress"])


def test_no_secret_is_in_here() -> None:
    """Secrets are made by whoever deploys; pods get them as files."""
    assert not [each for each in manifests() if each["kind"] == "Secret"]
    for _, template in pods():
        for variable in template["spec"]["containers"][0]["env"]:
            assert variable["name"].endswith("_FILE") or not any(
                word in variable["name"] for word in ("PASSWORD", "TOKEN", "PSEUDONYM_KEY", "SESSION_KEY")
            )
