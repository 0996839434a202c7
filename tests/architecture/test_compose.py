"""docker-compose.yml follows the specification, our settings and `make up`.

Compose itself is not needed: `compose_spec` reads the file as strictly.
"""

import re
from hashlib import sha256
from ipaddress import ip_address, ip_network
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pydantic_settings import BaseSettings

from cli.migrate import MigrationSettings
from docs.generate.settings import variable
from shared.database.migrate import ROLES
from shared.security.nats_issuer import Issuer
from shared.settings import (
    EscalationSettings,
    IntakeSettings,
    ProjectionsSettings,
    SlaWatcherSettings,
)
from standalone.nats import USERS
from standalone.services import SERVICES, Service
from tests.support import compose

SETTINGS: dict[str, type[BaseSettings]] = {
    "intake": IntakeSettings,
    "projections": ProjectionsSettings,
    "sla_watcher": SlaWatcherSettings,
    "escalation": EscalationSettings,
    "migrate": MigrationSettings,
}
SERVERS = {"postgres", "nats"}
COMMANDS = {"migrate", "cli"}
CALLED_FROM_OUTSIDE = {"nats", "intake", "projections"}
ADDED = {"proxy": ["NET_BIND_SERVICE"]}
"""Capabilities that a container gets back."""
SECRET = re.compile(r"PASSWORD|KEY")
every_service = pytest.mark.parametrize("service", SERVICES, ids=lambda one: one.name)
every_container = pytest.mark.parametrize(
    "name", sorted(SERVERS | COMMANDS | set(SETTINGS) | {"proxy"})
)


def test_it_has_two_servers_two_commands_and_every_service() -> None:
    services = set(compose.with_secrets()["services"])

    assert services == SERVERS | COMMANDS | set(SETTINGS)
    assert {service.name for service in SERVICES} == set(SETTINGS) - COMMANDS
    assert set(compose.with_tls()["services"]) == services | {"proxy"}


@every_container
def test_every_container_may_do_no_more_than_it_must(name: str) -> None:
    held = compose.with_tls()["services"][name]

    assert held["cap_drop"] == ["ALL"]
    assert held.get("cap_add", []) == ADDED.get(name, [])
    assert held["security_opt"] == ["no-new-privileges:true"]
    assert held["read_only"]
    assert not held.get("privileged")
    assert held["mem_limit"]
    assert 0 < held["pids_limit"] <= 256
    assert all("docker.sock" not in str(volume) for volume in held.get("volumes", []))


@every_container
def test_a_container_is_made_anew_when_a_file_of_it_changes(name: str) -> None:
    held = compose.with_tls()["services"][name]
    files = [
        compose.ROOT / volume.split(":")[0]
        for volume in held.get("volumes", [])
        if volume.startswith("./")
    ]
    digest = sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]

    told = held.get("labels", {}).get("permanence.files")
    assert told == (digest if files else None), f"write {digest} into the label"


@every_container
def test_the_network_of_the_database_leads_nowhere_else(name: str) -> None:
    whole = compose.with_tls()
    networks = set(whole["services"][name]["networks"])

    assert whole["networks"]["back"]["internal"]
    assert ("front" in networks) == (name in CALLED_FROM_OUTSIDE | {"proxy"})
    assert ("back" in networks) == (name != "proxy")
    # A port of a container that is on an internal network alone is not published.
    assert "front" in networks or not whole["services"][name].get("ports")
    if name in SERVERS - CALLED_FROM_OUTSIDE | COMMANDS:
        assert networks == {"back"}


@pytest.mark.parametrize("name", ["sla_watcher", "escalation"])
def test_who_calls_others_reaches_them_and_is_not_called(name: str) -> None:
    whole = compose.with_secrets()
    held = whole["services"][name]

    assert set(held["networks"]) == {"back", "outgoing"}
    assert not whole["networks"]["outgoing"].get("internal")
    assert "ports" not in held


def test_intake_believes_the_proxy_and_nobody_else_who_has_sent_a_signal() -> None:
    whole = compose.with_tls()
    front = whole["networks"]["front"]["ipam"]["config"]
    proxy = whole["services"]["proxy"]["networks"]["front"]["ipv4_address"]

    given = whole["services"]["intake"]["environment"]
    assert given["PERMANENCE_TRUSTED_PROXIES"] == proxy
    assert [ip_address(proxy) in ip_network(pool["subnet"]) for pool in front] == [True]
    assert compose.variables()["PERMANENCE_TRUSTED_PROXIES"] == ""


def test_only_the_migration_has_the_password_of_the_owner() -> None:
    environments = {
        name: str(held["environment"])
        for name, held in compose.with_secrets()["services"].items()
    }
    holders = {
        name for name, held in environments.items() if "sPOSTGRES_PASSWORD" in held
    }
    command = compose.with_secrets()["services"]["cli"]["environment"]

    assert holders == {"postgres", "migrate"}
    assert urlsplit(command["DATABASE_URL"]).username == "desk_admin"
    builds = urlsplit(command["PERMANENCE_PROJECTIONS_DATABASE_URL"])
    assert builds.username == "desk_projections"
    assert urlsplit(command["NATS_URL"]).username == "admin"


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("restart:", "restrat:"),
        ("service_healthy", "service_healty"),
        ("timeout: 5s", "timeout: five"),
        ("networks: [front, back]", "networks: [frnt, back]"),
        ("secrets: [vault_key]", "secrets: [vaultkey]"),
    ],
)
def test_a_slip_in_it_would_be_noticed(
    monkeypatch: pytest.MonkeyPatch, right: str, wrong: str
) -> None:
    slipped = compose.text().replace(right, wrong)
    assert slipped != compose.text()
    monkeypatch.setattr(compose, "text", lambda: slipped)

    with pytest.raises(ValueError, match=r"\w"):
        compose.with_secrets()


@pytest.mark.parametrize("name", SETTINGS)
def test_each_is_given_what_its_settings_know_and_all_they_require(name: str) -> None:
    settings = SETTINGS[name]
    known = {variable(settings, field) for field in settings.model_fields}
    required = {
        variable(settings, field)
        for field, about in settings.model_fields.items()
        if about.is_required()
    }
    given = set(compose.with_secrets()["services"][name]["environment"])

    assert given <= known
    assert required <= given


@every_service
def test_each_service_comes_as_its_own_role_and_user(service: Service) -> None:
    environment = compose.with_secrets()["services"][service.name]["environment"]

    assert urlsplit(environment["DATABASE_URL"]).username == service.role
    assert urlsplit(environment["NATS_URL"]).username == service.user


@every_service
def test_only_who_reads_personal_words_gets_the_key(service: Service) -> None:
    held = compose.with_secrets()["services"][service.name]

    assert ("vault_key" in held.get("secrets", [])) == service.reads_personal_words
    assert ("PERMANENCE_VAULT_KEY_FILE" in held["environment"]) == (
        service.reads_personal_words
    )


@every_service
def test_each_service_waits_for_the_migration_and_tells_how_it_is(
    service: Service,
) -> None:
    held = compose.with_secrets()["services"][service.name]

    waits = held["depends_on"]["migrate"]["condition"]
    assert waits == "service_completed_successfully"
    assert "/health/ready" in held["healthcheck"]["test"][-1]


def test_the_health_check_asks_the_port_the_service_listens_on() -> None:
    for service in SERVICES:
        held = compose.with_secrets()["services"][service.name]
        port = held["environment"]["PERMANENCE_HTTP_PORT"]
        assert f"127.0.0.1:{port}/health/ready" in held["healthcheck"]["test"][-1]
        compile(held["healthcheck"]["test"][-1], "healthcheck", "exec")


def test_the_servers_tell_how_they_are_and_keep_their_data_in_volumes() -> None:
    whole = compose.with_secrets()
    for name in SERVERS:
        held = whole["services"][name]
        assert held["healthcheck"]["test"][0] == "CMD"
        assert any(str(volume).startswith(f"{name}:/") for volume in held["volumes"])
        assert name in whole["volumes"]


def test_what_is_published_is_published_on_this_machine_only() -> None:
    assert compose.text().count("ports:") == 3
    for line in compose.text().splitlines():
        if "ports:" in line:
            assert '["127.0.0.1:' in line


def test_no_secret_has_a_default() -> None:
    secret = {name for name in compose.variables() if SECRET.search(name)}

    assert len(secret) == 1 + len(ROLES) + len(USERS)
    assert {name: compose.variables()[name] for name in secret} == dict.fromkeys(secret)


def test_without_secrets_compose_says_what_to_do() -> None:
    with pytest.raises(compose.Missing, match=r"run deploy/new-secrets\.sh first"):
        compose.parsed({})


def test_no_password_stands_in_the_file() -> None:
    for line in compose.text().splitlines():
        if SECRET.search(line) and not line.lstrip().startswith("#"):
            assert "${" in line or "/run/secrets/" in line or "environment: " in line


def test_the_script_makes_every_secret_that_is_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "secrets"
    made = compose.new_secrets(file)

    assert made.returncode == 0, made.stderr
    assert file.stat().st_mode & 0o777 == 0o600
    secrets = compose.read(file)
    asked = {name for name, word in compose.variables().items() if word is None}
    assert asked | {"PERMANENCE_VAULT_KEY"} == set(secrets)
    assert len(set(secrets.values())) == len(secrets)
    assert all(len(secret) >= 44 for secret in secrets.values())
    compose.parsed(secrets)


def test_the_script_replaces_no_secret_and_adds_what_is_missing(
    tmp_path: Path,
) -> None:
    file = tmp_path / "secrets"
    compose.new_secrets(file)
    before = compose.read(file)

    again = compose.new_secrets(file)
    assert "stays as it is" in again.stdout
    assert compose.read(file) == before
    old = [name for name in before if "ISSUER" not in name]
    file.write_text("".join(f"{name}={before[name]}\n" for name in old))
    compose.new_secrets(file)

    after = compose.read(file)
    assert set(after) == set(before)
    assert {name: after[name] for name in old} == {name: before[name] for name in old}


def test_the_script_makes_two_halves_of_one_key(tmp_path: Path) -> None:
    compose.new_secrets(tmp_path / "secrets")
    secrets = compose.read(tmp_path / "secrets")

    seed = secrets["PERMANENCE_NATS_ISSUER_SEED"]
    assert Issuer.of(seed).public == secrets["NATS_ISSUER"]
