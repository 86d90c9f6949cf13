"""The scale-out files agree with the settings, and hold no password."""

import re
from collections.abc import Iterator

import pytest
import yaml

from exchange.config import Role, Settings
from tests.tidy.house import ROOT, Source, found, planted

COMPOSE = Source("docker-compose.yml", (ROOT / "docker-compose.yml").read_text())
DOCKERFILE = Source("Dockerfile", (ROOT / "Dockerfile").read_text())
SECRET = re.compile(r"(PASSWORD|SECRET|TOKEN|AUTH|_URL)\w*$")


def services(source: Source) -> dict[str, dict]:
    """Return the services of a compose file, anchors resolved."""
    return yaml.safe_load(source.text)["services"]


def given_secret(source: Source) -> Iterator[tuple[int, str]]:
    """Find a secret that is not asked for by `${NAME:?why}`."""
    for name, service in services(source).items():
        for variable, value in (service.get("environment") or {}).items():
            if SECRET.search(variable) and not re.search(r"\$\{\w+:\?", value):
                yield 1, f"{name}: {variable} must be asked for, as ${{NAME:?why}}"
    for number, line in enumerate(source.lines, 1):
        if re.search(r"\$\{\w+:?-", line):
            yield number, "a default: ask with :? instead"


def unpinned_image(source: Source) -> Iterator[tuple[int, str]]:
    """Find an image without a version."""
    for number, line in enumerate(source.lines, 1):
        match = re.match(r"\s*(?:FROM|image:)\s+(\S+)", line)
        if match and (":" not in match.group(1) or match.group(1).endswith(":latest")):
            yield number, f"{match.group(1)} has no version"


def roles() -> list[str]:
    """Return the role of each service that has one."""
    commands = [service.get("command", []) for service in services(COMPOSE).values()]
    return [command[-1] for command in commands if command[:2] == ["serve", "--role"]]


def test_no_secret_has_a_default():
    assert found(given_secret, [COMPOSE]) == []


def test_every_image_has_a_version():
    assert found(unpinned_image, [COMPOSE, DOCKERFILE]) == []


def test_every_role_runs_and_gateways_are_two():
    assert set(roles()) == {role.value for role in Role}
    assert roles().count(Role.GATEWAY) == 2


def test_every_variable_is_a_setting():
    known = {f"WELLHEAD_{field.upper()}" for field in Settings.model_fields}
    environments = [service.get("environment") or {} for service in services(COMPOSE).values()]
    named = {name for env in environments for name in env if name.startswith("WELLHEAD_")}
    named |= set(re.findall(r"(WELLHEAD_\w+)=", DOCKERFILE.text))
    assert named - known == set()


def test_only_gateways_are_published_and_only_to_this_machine():
    published = {name: s["ports"] for name, s in services(COMPOSE).items() if "ports" in s}
    assert set(published) == {"gateway-a", "gateway-b"}
    assert all(port.startswith("127.0.0.1:") for ports in published.values() for port in ports)


def test_the_image_is_locked_and_not_root():
    assert "--require-hashes --no-deps" in DOCKERFILE.text
    users = re.findall(r"^USER (\S+)", DOCKERFILE.text, re.MULTILINE)
    assert users and users[-1] not in {"root", "0"}


@pytest.mark.parametrize(
    "value", ["hunter2", "${POSTGRES_PASSWORD:-hunter2}", "${POSTGRES_PASSWORD}"]
)
def test_a_planted_password_is_found(value):
    text = f"services:\n  a:\n    environment:\n      POSTGRES_PASSWORD: '{value}'\n"
    assert found(given_secret, [planted(text)])
    assert found(given_secret, [planted(text.replace(value, "${A:?set it}"))]) == []


@pytest.mark.parametrize("line", ["FROM python", "    image: redis:latest"])
def test_a_planted_unpinned_image_is_found(line):
    assert found(unpinned_image, [planted(line)])
