from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from proxy.settings import ROLES, SERVE_SETTINGS

ROOT = Path(__file__).resolve().parents[3]
BIN = Path(sys.executable).parent
DOCKERFILES = sorted((ROOT / "deploy" / "docker").glob("*.Dockerfile"))
SCRIPTS = sorted((ROOT / "deploy").rglob("*.sh"))


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    """Give the services as Compose itself understands them."""
    argv = [str(BIN / "docker-compose"), "-f", "compose.yaml", "--profile", "*", "config"]
    argv += ["--format", "json"]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)["services"]
    return found


def test_compose_accepts_the_file_without_a_warning() -> None:
    """The real Compose reads it, and has nothing to say."""
    argv = [str(BIN / "docker-compose"), "-f", "compose.yaml", "--profile", "*", "config", "-q"]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda path: path.stem)
def test_hadolint_has_no_objection(dockerfile: Path) -> None:
    """The Dockerfile follows the rules of the trade."""
    argv = [BIN / "hadolint", dockerfile]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda path: path.stem)
def test_images_are_built_in_stages_and_run_without_root(dockerfile: Path) -> None:
    """More than one stage, a numeric user that is not 0 in the last one, and a health check."""
    text = dockerfile.read_text()
    last = text[text.rindex("\nFROM ") :]
    user = re.findall(r"^USER (\d+)$", last, re.MULTILINE)
    assert text.count("\nFROM ") >= 2
    assert user
    assert int(user[-1]) > 0
    assert "\nHEALTHCHECK " in last


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda path: path.stem)
def test_everything_copied_into_an_image_reaches_the_builder(dockerfile: Path) -> None:
    """Each source exists, and .dockerignore lets it through."""
    allowed = [
        line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] == "!"
    ]
    for arguments in re.findall(r"^COPY (?!--from)(.+)$", dockerfile.read_text(), re.MULTILINE):
        for source in arguments.split()[:-1]:
            assert (ROOT / source).exists(), source
            assert any(source == name or source.startswith(f"{name}/") for name in allowed), source


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_shell_scripts_are_executable_and_parse(script: Path) -> None:
    """A POSIX shell reads each script to its end."""
    assert script.stat().st_mode & 0o111
    subprocess.run(["sh", "-n", script], check=True)


def test_every_part_of_the_product_is_there(services: dict[str, Any]) -> None:
    """The composition holds the whole architecture, in the versions that it is about."""
    images = {name: service["image"] for name, service in services.items()}
    assert images == {
        "nginx": "cutover-nginx",
        "proxy": "cutover",
        "controller": "cutover",
        "shadow": "cutover",
        "rules": "cutover",
        "legacy": "cutover-legacy",
        "seed": "cutover-legacy",
        "modern": "cutover-modern",
        "celery-worker": "cutover-modern",
        "celery-beat": "cutover-modern",
        "migrate": "cutover-modern",
        "processor": "cutover-sandbox",
        "mail": "cutover-sandbox",
        "mysql": "mysql:5.7",
        "postgres": "postgres:15-alpine",
        "redis": "redis:7-alpine",
        "secrets": "redis:7-alpine",
        "prometheus": "prom/prometheus:v3.5.0",
        "grafana": "grafana/grafana:12.1.0",
    }


def test_only_what_watches_is_optional(services: dict[str, Any]) -> None:
    """`docker compose up` starts the architecture; Prometheus and Grafana are asked for."""
    optional = {name for name, service in services.items() if service.get("profiles")}
    assert optional == {"prometheus", "grafana"}


def test_the_roles_exist_and_together_are_the_whole(services: dict[str, Any]) -> None:
    """Every role but `all` is one service, started with options that exist."""
    commands = [services[name]["command"] for name in ("proxy", "controller", "shadow")]
    options = {setting.option for setting in SERVE_SETTINGS}
    assert {command[command.index("--role") + 1] for command in commands} == set(ROLES) - {"all"}
    assert {word for command in commands for word in command if word[:2] == "--"} <= options


def test_settings_given_by_variables_exist(services: dict[str, Any]) -> None:
    """No CUTOVER_ variable is set that the proxy does not read."""
    known = {setting.variable for setting in SERVE_SETTINGS} | {
        "CUTOVER_ADMIN_TOKEN_FILE",
        "CUTOVER_SHADOW_KEY_FILE",
    }
    image = (ROOT / "deploy" / "docker" / "cutover.Dockerfile").read_text()
    given = set(re.findall(r"CUTOVER_[A-Z_]+", image)) | {
        name
        for service in ("proxy", "controller", "shadow", "rules")
        for name in services[service].get("environment") or {}
    }
    assert given <= known


@pytest.mark.parametrize("name", ["modern", "celery-worker", "celery-beat"])
def test_commands_run_modules_that_exist(services: dict[str, Any], name: str) -> None:
    """The modules that a command names can be found."""
    image = (ROOT / "deploy" / "docker" / "modern.Dockerfile").read_text()
    default = json.loads(re.findall(r"^CMD (\[.*\])$", image, re.MULTILINE)[-1])
    command = services[name].get("command") or default
    modules = [command[command.index("-m") + 1]]
    modules += [word.partition(":")[0] for word in command if word.startswith("modern.")]
    assert len(modules) == 2
    assert all(importlib.util.find_spec(module) for module in modules)


def test_only_nginx_is_offered_to_the_network(services: dict[str, Any]) -> None:
    """The console, and what watches, have ports on the host's loopback address; the rest none."""
    ports = {name: service["ports"] for name, service in services.items() if service.get("ports")}
    assert set(ports) == {"nginx", "controller", "prometheus", "grafana"}
    del ports["nginx"]
    assert {port["host_ip"] for each in ports.values() for port in each} == {"127.0.0.1"}


def test_every_service_is_limited(services: dict[str, Any]) -> None:
    """No service may take the whole machine."""
    limits = {name: service["deploy"]["resources"]["limits"] for name, service in services.items()}
    assert all({"cpus", "memory"} <= set(limit) for limit in limits.values())


def test_waiting_is_for_health_never_for_mere_start(services: dict[str, Any]) -> None:
    """Every dependency waits until the other one works, or has done its work."""
    for name, service in services.items():
        for other, how in (service.get("depends_on") or {}).items():
            once = services[other].get("restart") == "no"
            wanted = "service_completed_successfully" if once else "service_healthy"
            assert how["condition"] == wanted, (name, other)


def test_no_secret_is_written_down(services: dict[str, Any]) -> None:
    """Passwords, keys and URLs with passwords come as files."""
    secret = re.compile("PASSWORD|SECRET|TOKEN|DATABASE_URL|_KEY")
    for name, service in services.items():
        for variable in service.get("environment") or {}:
            assert not secret.search(variable) or variable.endswith("_FILE"), (name, variable)


def test_secrets_are_made_once_and_kept(tmp_path: Path) -> None:
    """The script fills the volumes with random secrets, and keeps them when it runs again."""
    text = (ROOT / "deploy" / "docker" / "secrets.sh").read_text()
    script = tmp_path / "secrets.sh"
    script.write_text(text.replace("/secrets/", f"{tmp_path}/"))
    for folder in ("legacy", "modern", "admin", "shadow"):
        (tmp_path / folder).mkdir()

    def made() -> dict[str, str]:
        subprocess.run(["sh", script], check=True)
        return {str(file): file.read_text() for file in tmp_path.glob("*/*")}

    first = made()
    assert len(first) == 10
    assert len(set(first.values())) == 10
    assert made() == first


def test_secrets_given_as_files_become_variables(tmp_path: Path) -> None:
    """NAME_FILE turns into NAME, and the command runs in the place of the script."""
    file = tmp_path / "key"
    file.write_text("two words")
    script = ROOT / "deploy" / "docker" / "with-secrets.sh"
    done = subprocess.run(
        [script, "sh", "-c", 'echo "$SECRET_KEY ${SECRET_KEY_FILE-unset}"'],
        env={"PATH": "/usr/bin:/bin", "SECRET_KEY_FILE": str(file)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "two words unset\n"
