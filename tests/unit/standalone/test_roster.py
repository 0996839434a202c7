"""What each service is given by `make up`, held against what its settings ask for."""

from pathlib import Path

import pytest
from pydantic_settings import BaseSettings

from docs.generate.settings import variable
from shared.settings import (
    EscalationSettings,
    IntakeSettings,
    ProjectionsSettings,
    SlaWatcherSettings,
)
from standalone.services import SERVICES, Service, environment_of, url_as
from standalone.settings import UpSettings

SETTINGS: dict[str, type[BaseSettings]] = {
    "intake": IntakeSettings,
    "projections": ProjectionsSettings,
    "sla_watcher": SlaWatcherSettings,
    "escalation": EscalationSettings,
}
UP = UpSettings.model_construct(
    api_port=1001, intake_port=1002, sla_watcher_port=1003, escalation_port=1004
)
GIVEN = {"DATABASE_URL": "postgresql://own", "NATS_URL": "nats://own"}
every_service = pytest.mark.parametrize("service", SERVICES, ids=lambda one: one.name)


@every_service
def test_it_knows_every_variable_it_is_given_and_gets_all_it_requires(
    service: Service,
) -> None:
    settings = SETTINGS[service.name]
    fields = settings.model_fields
    known = {variable(settings, field) for field in fields}
    required = {
        variable(settings, field)
        for field, about in fields.items()
        if about.is_required()
    }

    given = set(environment_of(service, UP, {}, GIVEN)) - {"PYTHONUNBUFFERED"}

    assert given <= known
    assert required <= given


def test_each_listens_on_its_own_port_of_this_machine() -> None:
    environments = [environment_of(service, UP, {}, GIVEN) for service in SERVICES]

    ports = [environment["PERMANENCE_HTTP_PORT"] for environment in environments]
    assert sorted(ports) == ["1001", "1002", "1003", "1004"]
    assert {one["PERMANENCE_HTTP_HOST"] for one in environments} == {"127.0.0.1"}


def test_the_api_knows_where_intake_is() -> None:
    (api,) = [service for service in SERVICES if service.asks_intake]

    environment = environment_of(api, UP, {}, GIVEN)

    assert api.name == "projections"
    assert environment["PERMANENCE_INTAKE_URL"] == "http://127.0.0.1:1002"


def test_the_owners_url_never_reaches_a_service() -> None:
    inherited = {"DATABASE_URL": "postgresql://owner", "TZ": "UTC"}

    environment = environment_of(SERVICES[0], UP, inherited, GIVEN)

    assert environment["DATABASE_URL"] == "postgresql://own"
    assert environment["TZ"] == "UTC"


@pytest.mark.parametrize(
    ("url", "own"),
    [
        ("postgresql://me:old@db:5432/desk", "postgresql://us:p%40ss@db:5432/desk"),
        (
            "postgresql://db/desk?sslmode=require",
            "postgresql://us:p%40ss@db/desk?sslmode=require",
        ),
        ("postgresql://me:o%40d@[::1]:5432/d", "postgresql://us:p%40ss@[::1]:5432/d"),
    ],
)
def test_a_url_is_rewritten_for_another_user(url: str, own: str) -> None:
    assert url_as(url, "us", "p@ss") == own


def test_every_service_can_be_started(pytestconfig: pytest.Config) -> None:
    for service in SERVICES:
        module = service.command[-1].replace(".", "/")
        assert (Path(pytestconfig.rootpath) / module / "__main__.py").is_file()
