"""How people are reached, over HTTP: all of one's own methods, kinds of others."""

import pytest

from services.intake.directory.store import import_people
from shared.contact_methods.store import publish_channels, put_value, verify_value
from shared.domain.events.contact_method import (
    PersonAddressChanged,
    PersonContactMethodAdded,
    PersonContactMethodVerified,
    PersonNotificationRulesSet,
)
from tests.support.builders.june_log import June, june
from tests.support.builders.on_call.subscriptions import subscription
from tests.support.desks.api import Api, problem
from tests.support.policies import full_text

pytestmark = pytest.mark.servers

PEOPLE = [
    {"id": "paul", "name": "Paul", "email": "paul@desk.example", "zone": "Europe/Rome"},
    {"id": "jos", "name": "Jos", "email": "jos@desk.example"},
    {"id": "nadia", "name": "Nadia"},
]


@pytest.fixture
def reached(api: Api) -> Api:
    """Give an API where paul has a verified number, and jos an address."""
    common = {"at": june(1), "by": "person:paul", "person": "paul"}
    number = {**common, "method": "paul.1"}
    with api.log.transaction() as cursor:
        import_people(cursor, PEOPLE, june(1))
        put_value(cursor, "paul", "paul.1", "sms", "+33612345678", june(1))
        verify_value(cursor, "paul", "paul.1", june(2))
        publish_channels(cursor, ["mail", "sms", "webhook"])
    api.log.record(
        "person-paul",
        0,
        [
            PersonContactMethodAdded(**number, kind="sms"),
            PersonContactMethodVerified(**number),
            PersonAddressChanged(**common, address="phone", found=True),
            PersonAddressChanged(
                **common, address="mail", fingerprint=f"f1.{'a' * 16}.{'b' * 22}"
            ),
            PersonNotificationRulesSet(
                **common, important=({"method": "paul.1", "repeat": 2},)
            ),
        ],
    )
    return api


def test_people_see_part_of_their_own_methods_and_their_rules(reached: Api) -> None:
    found = reached.get("/v1/people/paul/contact-methods")

    assert [
        (each["method"], each["kind"], each["value"], each["verified"])
        for each in found["items"]
    ] == [
        ("mail", "mail", "pa…@desk.example", False),
        ("paul.1", "sms", "+33…78", True),
    ]
    assert (found["version"], found["readiness"]) == (5, "ready")
    assert (found["kinds"], found["zone"]) == (["mail", "sms"], "Europe/Rome")
    assert found["rules"]["important"][0]["repeat"] == 2
    (change,) = found["address_changes"]
    assert (change["address"], change["by"]) == ("mail", "person:paul")


def test_browsers_get_the_key_of_the_desk_if_it_sends_web_push(reached: Api) -> None:
    found = []
    for kinds, key in (
        (["web_push"], "one"),
        (["mail", "web_push"], "other"),
        (["mail"], ""),
    ):
        with reached.log.transaction() as cursor:
            publish_channels(cursor, kinds, key)
        found.append(reached.get("/v1/people/paul/contact-methods")["web_push_key"])

    assert found == ["one", "other", None]


def test_a_browser_is_recognised_by_the_host_of_its_push_service(
    reached: Api,
) -> None:
    value = subscription("https://push.example/secret")
    with reached.log.transaction() as cursor:
        put_value(cursor, "paul", "paul.2", "web_push", value, june(3))
    items = reached.get("/v1/people/paul/contact-methods")["items"]

    assert items[-1]["value"] == "push.example"


def test_others_see_the_kinds_and_whether_they_are_verified(reached: Api) -> None:
    found = reached.get("/v1/people/paul/contact-methods", "manager")

    assert [(each["kind"], each["verified"]) for each in found["items"]] == [
        ("mail", False),
        ("sms", True),
    ]
    assert {each["value"] for each in found["items"]} == {None}
    assert (found["rules"], found["zone"]) == (None, None)
    assert found["address_changes"] == []


def test_readiness_says_whether_somebody_can_be_paged(reached: Api) -> None:
    found = {
        each["id"]: reached.get(f"/v1/people/{each['id']}/readiness")["readiness"]
        for each in PEOPLE
    }

    assert found == {"paul": "ready", "jos": "unverified", "nadia": "unreachable"}
    nobody = reached.call("GET", "/v1/people/nobody/readiness")
    assert problem(nobody, 404)["code"] == "unknown_person"


def test_who_is_on_call_shows_who_may_not_hear_a_page(
    reached: Api, month: June
) -> None:
    assert month.position
    (duty,) = reached.get("/v1/oncall")["items"]

    assert duty["unverified"] == [*duty["people"], *duty["next_people"]] != []


def test_readiness_names_those_who_cannot_be_paged_in_the_next_days(
    reached: Api, month: June
) -> None:
    turns = "participants: [tariq, ines, jos]"
    month.applied(full_text((turns, "participants: [[tariq, ines, jos]]")))
    with reached.log.transaction() as cursor:
        import_people(cursor, [{"id": "tariq", "name": "Tariq"}], june(1))
        put_value(cursor, "tariq", "tariq.1", "sms", "+33612345679", june(1))
        verify_value(cursor, "tariq", "tariq.1", june(2))
    added = PersonContactMethodAdded(
        at=june(1), by="person:tariq", person="tariq", method="tariq.1", kind="sms"
    )
    reached.log.record("person-tariq", 0, [added])
    (found,) = reached.get("/v1/oncall/readiness", min_position=month.position)["items"]

    assert [(each["person"], each["readiness"]) for each in found["people"]] == [
        ("ines", "unreachable"),
        ("jos", "unverified"),
        ("tariq", "ready"),
    ]
    assert (found["schedule"], found["ready"]) == ("garde", False)
    assert found["gaps"] == []
    refused = reached.call("GET", "/v1/oncall/readiness?days=0")
    assert problem(refused, 422)["code"] == "invalid"
