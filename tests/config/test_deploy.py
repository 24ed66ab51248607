"""Dockerfile, compose file, manifests and proxy: linted by their own tools, and true to the code."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from config import proxy, reference, roles
from config.stack import PROJECT

MANIFESTS = sorted(
    path for path in (PROJECT / "deploy" / "kubernetes").glob("*.yaml") if path.name != "kustomization.yaml"
)
COMPOSE: dict[str, Any] = yaml.safe_load((PROJECT / "compose.yaml").read_text())
OURS = {name: one for name, one in COMPOSE["services"].items() if one["image"].startswith("${STANDBY_IMAGE")}
ROLES = {"web", "matcher", "worker", "simulator", "beat", "migrate"}


def known(name: str) -> bool:
    """Whether this is a setting of ours, plain or as a file."""
    return name.removesuffix("_FILE") in set(reference.settings_read()) | set(reference.BESIDE)


def manifests(kind: str) -> Iterator[dict[str, Any]]:
    for path in MANIFESTS:
        yield from (one for one in yaml.safe_load_all(path.read_text()) if one["kind"] == kind)


def pods() -> dict[str, dict[str, Any]]:
    """Role → pod template's spec."""
    return {
        one["spec"]["template"]["spec"]["containers"][0]["args"][0]: one["spec"]["template"]["spec"]
        for kind in ("Deployment", "Job")
        for one in manifests(kind)
    }


def test_the_dockerfile_has_no_finding() -> None:
    hadolint = Path(sys.executable).parent / "hadolint"
    done = subprocess.run([hadolint, PROJECT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_image_knows_its_roles_and_runs_as_nobody() -> None:
    lines = (PROJECT / "Dockerfile").read_text().splitlines()
    last = lines[max(number for number, line in enumerate(lines) if line.startswith("FROM")) :]
    assert 'ENTRYPOINT ["python", "-m", "config.roles"]' in last
    assert 'CMD ["web"]' in last
    assert "USER 10001:10001" in last
    assert not [line for line in last if "pip" in line or "apt-get" in line]
    for role in ROLES - {"web"}:
        assert roles.command(role, [])[0] == sys.executable
    with pytest.raises(ValueError, match="no role 'wbe': web, matcher"):
        roles.command("wbe", [])


def test_the_compose_file_is_of_its_schema() -> None:
    command = [
        sys.executable,
        "-m",
        "check_jsonschema",
        "--builtin-schema",
        "vendor.compose-spec",
        "compose.yaml",
    ]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_compose_file_is_true_to_the_code() -> None:
    started = {name: one["command"][0] for name, one in OURS.items()}
    assert set(started.values()) == ROLES
    assert sorted(role for role in started.values() if role in {"web", "matcher"}) == [
        "matcher",
        "matcher",
        "web",
        "web",
    ]
    unknown = {name for one in OURS.values() for name in one["environment"] if not known(name)}
    assert unknown == set()
    for name, one in OURS.items():
        assert one["read_only"], name
        assert one["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in one["security_opt"], name
        assert set(one["secrets"]) <= set(COMPOSE["secrets"]), name
        files = {value for key, value in one["environment"].items() if key.endswith("_FILE")}
        assert files == {f"/run/secrets/{secret}" for secret in one["secrets"]}, name
        assert (
            name == "migrate" or one["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
        )
    assert "ports" not in COMPOSE["services"]["postgres"] | COMPOSE["services"]["redis"]
    made = (PROJECT / "deploy" / "secrets").read_text()
    assert all(f"kept {name} " in made for name in COMPOSE["secrets"])


def test_the_proxy_gets_what_its_template_asks_for() -> None:
    given = COMPOSE["services"]["proxy"]["environment"]
    text = proxy.TEMPLATE.read_text()
    asked = {part.partition("}")[0] for part in text.split("${")[1:]}
    assert asked == set(given)
    made = proxy.site("127.0.0.1:80", ["127.0.0.1:1", "127.0.0.1:2"])
    assert "${" not in made
    assert "proxy_set_header X-Forwarded-For $remote_addr;" in made  # never $proxy_add_x_forwarded_for
    # One in a location would drop all those of the server, this one too.
    assert not [line for line in made.splitlines() if line.startswith("        proxy_set_header")]


def test_secrets_are_made_once(tmp_path: Path) -> None:
    script = tmp_path / "secrets"
    script.write_text((PROJECT / "deploy" / "secrets").read_text())

    def made() -> dict[str, str]:
        subprocess.run(["sh", script], check=True, capture_output=True)
        return {path.name: path.read_text() for path in (tmp_path / "secrets.d").iterdir()}

    first = made()
    assert set(first) == set(COMPOSE["secrets"])
    assert first["postgres_password"] in first["database_url"]
    assert len(first["secret_key"]) >= 50
    assert made() == first
    assert (tmp_path / "secrets.d").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_the_manifests_are_of_their_schemas(path: Path) -> None:
    for one in yaml.safe_load_all(path.read_text()):
        kubernetes_validate.validate(one, kubernetes_validate.latest_version(), strict=True)


def test_the_manifests_are_true_to_the_code() -> None:
    found = pods()
    assert set(found) == ROLES
    (settings,) = manifests("ConfigMap")
    (secret,) = manifests("Secret")
    assert [name for name in settings["data"] if not known(name)] == []
    files = {value for key, value in settings["data"].items() if key.endswith("_FILE")}
    assert files == {f"/run/secrets/{name}" for name in secret["stringData"]}
    for role, spec in found.items():
        (container,) = spec["containers"]
        assert spec["securityContext"]["runAsNonRoot"], role
        assert container["securityContext"]["readOnlyRootFilesystem"], role
        assert container["securityContext"]["allowPrivilegeEscalation"] is False, role
        assert [one["name"] for one in container.get("env", []) if not known(one["name"])] == []
    kustomized = yaml.safe_load((PROJECT / "deploy" / "kubernetes" / "kustomization.yaml").read_text())
    assert set(kustomized["resources"]) == {path.name for path in MANIFESTS} - {
        "migrate.yaml",
        "secret.example.yaml",
    }


def through(path: str) -> str:
    """Which service the ingress passes a path to, by the rules of Kubernetes: exact ones first, then the longest prefix."""
    (ingress,) = manifests("Ingress")
    (rule,) = ingress["spec"]["rules"]
    matching = [
        one
        for one in rule["http"]["paths"]
        if path == one["path"]
        or (one["pathType"] == "Prefix" and path.startswith(one["path"].rstrip("/") + "/"))
    ]
    best = max(matching, key=lambda one: (one["pathType"] == "Exact", len(one["path"])))
    return str(best["backend"]["service"]["name"])


@pytest.mark.parametrize(
    ("path", "service"),
    [
        ("/", "standby-web"),
        ("/api/v1/tickets", "standby-web"),
        ("/healthz/live", "standby-web"),
        ("/healthz/ready", "standby-nowhere"),
        ("/healthz/web", "standby-nowhere"),
        ("/healthz/web/", "standby-nowhere"),
        ("/metrics", "standby-nowhere"),
        ("/metrics/", "standby-nowhere"),
    ],
)
def test_the_ingress_shows_no_health_and_no_metrics(path: str, service: str) -> None:
    assert through(path) == service
    services = {one["metadata"]["name"]: one["spec"] for one in manifests("Service")}
    assert "selector" in services["standby-web"]
    assert "selector" not in services["standby-nowhere"]


def test_only_the_ingress_and_monitoring_reach_web_pods() -> None:
    policies = {one["metadata"]["name"]: one["spec"] for one in manifests("NetworkPolicy")}
    assert "ingress" not in policies["standby"]
    (allowed,) = policies["standby-web"]["ingress"]
    assert [one["namespaceSelector"]["matchLabels"] for one in allowed["from"]] == [
        {"kubernetes.io/metadata.name": name} for name in ("ingress-nginx", "monitoring")
    ]
    assert [one["port"] for one in allowed["ports"]] == [8000]


def test_a_pod_has_time_to_drain() -> None:
    """preStop, then the drain, then open requests: all before the kubelet kills it."""
    (container,) = pods()["web"]["containers"]
    (drain,) = (int(one["value"]) for one in container["env"] if one["name"] == "WEB_DRAIN_SECONDS")
    before = int(container["lifecycle"]["preStop"]["exec"]["command"][1])
    ready = container["readinessProbe"]
    assert ready["httpGet"]["path"] == "/healthz/web"
    assert drain >= 2 * ready["periodSeconds"] * ready["failureThreshold"]
    assert before + drain + 3 < pods()["web"]["terminationGracePeriodSeconds"]
    (beat,) = (one for one in manifests("Deployment") if one["metadata"]["name"] == "standby-beat")
    assert (beat["spec"]["replicas"], beat["spec"]["strategy"]["type"]) == (1, "Recreate")
