"""A new desk says what it still needs; a step is done once it has happened."""

import psycopg
import pytest

from services.intake.directory.store import import_people
from shared.domain.events import NotificationConfirmed
from tests.support.builders.june_log import ONE, June, june
from tests.support.desks.api import Api

pytestmark = pytest.mark.servers

_ACCEPTED = """
INSERT INTO access.sign_in_links (
    link_id, hash, actor, method, created_at, expires_at, used_at, seal)
VALUES ('0123456789ab', '', 'person:zoe', 'invitation', now(), now(), now(), '')
"""


def _done(api: Api) -> set[str]:
    items = api.get("/v1/setup")["items"]
    assert [each["step"] for each in items] == ["people", "mail", "source", "on_call"]
    return {each["step"] for each in items if each["done"]}


def test_an_accepted_invitation_shows_that_mail_arrives(api: Api, month: June) -> None:
    month.opens(june(2), ONE)
    with psycopg.connect(api.database.owner_dsn) as connection:
        connection.execute(_ACCEPTED)

    assert _done(api) == {"mail"}


def test_a_step_is_done_once_it_has_happened(api: Api, month: June) -> None:
    assert _done(api) == set()

    month.opens(june(2), ONE, by="source:prom", origin="monitoring")
    assert _done(api) == {"source"}

    accepted = NotificationConfirmed(
        at=june(2),
        by="system:escalation",
        incident=ONE,
        key="k",
        attempts=1,
        receipt="ok",
    )
    month.log.record(f"escalation-{ONE}", 0, [accepted])
    assert _done(api) == {"source", "mail"}

    duty = [each["on_call"] for each in api.get("/v1/oncall")["items"]]
    people = [
        {"id": id_, "name": id_, "email": f"{id_}@ville.example"}
        for id_ in (*duty, "zoe")
    ]
    with psycopg.connect(api.database.owner_dsn) as connection:
        import_people(connection.cursor(), people[1:], june(2))
    assert "on_call" not in _done(api)
    with psycopg.connect(api.database.owner_dsn) as connection:
        import_people(connection.cursor(), people, june(2))
    assert _done(api) == {"people", "mail", "source", "on_call"}
