"""Dockerfile, compose file, manifests and proxy: linted by their own tools, and true to the code."""

import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from functools import cache
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
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
    return name.removesuffix("_FILE") in settings_known()


@cache
def settings_known() -> set[str]:
    return {*reference.settings_read(), *reference.BESIDE}  # reads all of the product's code


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
    started = {name: one["command"][0] for name, one in OURS.items() if "profiles" not in one}
    assert set(started.values()) == ROLES
    # Of what customers and agents wait for there is no single process that may not die.
    assert Counter(started.values()) == {
        "web": 2, "matcher": 2, "worker": 2, "simulator": 1, "beat": 1, "migrate": 1,
    }  # fmt: skip
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
            name in ("migrate", "backup")
            or one["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
        )
    assert "ports" not in COMPOSE["services"]["postgres"] | COMPOSE["services"]["redis"]
    made = (PROJECT / "deploy" / "secrets").read_text()
    assert all(f"kept {name} " in made for name in COMPOSE["secrets"])


def test_a_container_can_back_up() -> None:
    """Programs for it, not older than the server; a place that can be written; and nothing is migrated before."""
    lines = (PROJECT / "Dockerfile").read_text().splitlines()
    (image,) = [line.removeprefix("ARG POSTGRES=") for line in lines if line.startswith("ARG POSTGRES=")]
    (python,) = [line.removeprefix("ARG PYTHON=") for line in lines if line.startswith("ARG PYTHON=")]
    assert image.rpartition("-")[2] == python.rpartition("-")[2]  # one Debian, one C library
    server = COMPOSE["services"]["postgres"]["image"]
    assert image.partition(":")[2].partition("-")[0] == server.partition(":")[2].partition("-")[0]
    assert "COPY --from=client /opt/standby-postgres /opt/standby-postgres" in lines
    assert any(line.startswith("ENV PATH=") and "/opt/standby-postgres/bin:" in line for line in lines)
    one = OURS["backup"]
    assert one["command"] == ["manage", "backup", "/var/lib/standby/backups"]
    assert set(one["depends_on"]) == {"postgres"}
    assert {volume.rpartition(":")[2] for volume in one["volumes"]} == {
        "/var/lib/standby/media",
        "/var/lib/standby/backups",
    }
    assert any("install -d -o standby" in line and "/var/lib/standby/backups" in line for line in lines)
    assert "docker compose run --rm backup" in (PROJECT / "docs" / "howto" / "upgrade.md").read_text()


# Settings that an operator of containers has no say in, because the image or compose.yaml says them.
SAID_BY_THE_IMAGE = {"HOST", "PORT", "MEDIA_ROOT", "STATIC_ROOT", "PULSE_FILE", "STANDBY_DEV_TOOLS"}
OF_A_TRIAL = {
    "STANDBY_TRIAL",
    "STANDBY_HOME",
    "MAIL_FOLDER",
    "WEB_PROCESSES",
    "MATCHER_PROCESSES",
    "DEMO_TRAFFIC",
    "DEBUG",
}
ONE_PROCESS_A_CONTAINER = {"PROMETHEUS_MULTIPROC_DIR"}


def test_every_setting_reaches_the_containers() -> None:
    every = set(reference.settings_read()) | set(reference.BESIDE)
    own = SAID_BY_THE_IMAGE | OF_A_TRIAL | ONE_PROCESS_A_CONTAINER
    assert own <= every
    for name, one in OURS.items():
        given = {key.removesuffix("_FILE") for key in one["environment"]}
        of_web = set() if one["command"] == ["web"] else {"WEB_DRAIN_SECONDS", "METRICS_NETWORKS"}
        assert every - given - own == of_web, name
        # A value is passed on only if there is one: an empty number would stop the start.
        written = {key: value for key, value in one["environment"].items() if value is not None}
        assert [
            key for key, value in written.items() if value.startswith("${") and f"${{{key}:" not in value
        ] == []
        assert [key for key in given if key in own] == []


def forwarded(tmp_path: Path, trusted: str, claims: str) -> str:
    """What a web process behind nginx reads in X-Forwarded-For when a peer at 127.0.0.1 claims this."""
    seen: list[str] = []

    class Web(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.extend(self.headers.get_all("X-Forwarded-For") or [])
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    web = HTTPServer(("127.0.0.1", 0), Web)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    made = proxy.site(f"127.0.0.1:{port}", [f"127.0.0.1:{web.server_port}"], trusted=trusted)
    (tmp_path / "standby.conf").write_text(made)
    (tmp_path / "nginx.conf").write_text(proxy.MAIN.format(folder=tmp_path))
    words = [proxy.nginx(), "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf"), "-e", "stderr"]
    running = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with httpx.Client(transport=httpx.HTTPTransport(retries=8)) as client:
            client.get(f"http://127.0.0.1:{port}/", headers={"X-Forwarded-For": claims})
    finally:
        running.terminate()
        running.wait()
        web.shutdown()
    (one,) = seen
    return one


@pytest.mark.parametrize(
    ("trusted", "sees"),
    [
        (proxy.NOBODY, "127.0.0.1"),  # whoever claims something: its peer counts
        ("10.0.0.0/8", "127.0.0.1"),
        (
            "127.0.0.0/8",
            "203.0.113.7",
        ),  # the last one, which the trusted peer has written, and not the client's own claim
    ],
)
def test_only_a_trusted_proxy_says_where_somebody_comes_from(tmp_path: Path, trusted: str, sees: str) -> None:
    assert forwarded(tmp_path, trusted, "198.51.100.1, 203.0.113.7") == sees


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
    import kubernetes_validate  # here: it takes a second, in each process that looks which tests there are

    for one in yaml.safe_load_all(path.read_text()):
        kubernetes_validate.validate(one, kubernetes_validate.latest_version(), strict=True)


def test_the_manifests_are_true_to_the_code() -> None:
    found = pods()
    assert set(found) == ROLES
    replicas = {one["metadata"]["name"]: one["spec"]["replicas"] for one in manifests("Deployment")}
    assert replicas == {
        "standby-web": 2, "standby-matcher": 2, "standby-worker": 2, "standby-simulator": 1, "standby-beat": 1,
    }  # fmt: skip
    kept = {one["metadata"]["name"]: one["spec"] for one in manifests("PodDisruptionBudget")}
    assert set(kept) == {name for name, count in replicas.items() if count == 2}
    for name, one in kept.items():
        assert one["minAvailable"] == 1
        assert f"standby-{one['selector']['matchLabels']['app.kubernetes.io/component']}" == name
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
