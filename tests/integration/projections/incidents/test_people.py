"""An agent looks up who calls, and sees what is open for them and their client."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.intake.directory.store import import_people
from shared.contact_methods.fingerprints import Address, fingerprint
from shared.domain.events.contact_method import PersonAddressChanged
from shared.domain.limits import Limits
from shared.security.access import create
from tests.support.builders.promise_events import told as event_of
from tests.support.desks.api import Api, problem
from tests.support.strategies.histories import opened

pytestmark = pytest.mark.servers

NOW = datetime(2025, 6, 30, 8, tzinfo=UTC)
PEOPLE = [
    {
        "id": "costa",
        "name": "M. Costa",
        "email": "Costa@Valmont.example",
        "phone": "+33 4 75 00 00 01",
        "client": "mairie",
        "language": "en",
        "zone": "Europe/Paris",
    },
    {"id": "leroy", "name": "Mme Leroy", "client": "mairie"},
    {"id": "roy_100", "name": "100 % Roy"},
]


@pytest.fixture
def told(api: Api) -> Api:
    """Give an API whose directory has people."""
    with api.log.transaction() as cursor:
        import_people(cursor, PEOPLE, NOW)
    return api


def ids(api: Api, **asked: str) -> list[str]:
    return [one["id"] for one in api.get("/v1/people", **asked)["items"]]


def test_people_are_found_by_what_the_desk_has_of_them(told: Api) -> None:
    assert ids(told, q="roy") == ["roy_100", "leroy"]
    assert ids(told, email="costa@valmont.EXAMPLE") == ["costa"]
    assert ids(told, phone="04 75 00 00 01") == ["costa"]
    assert ids(told, phone="+33475000001") == ["costa"]
    assert ids(told, q="roy", phone="+33475000001") == []


def test_names_are_found_by_parts_in_any_order_with_or_without_accents(
    told: Api,
) -> None:
    with told.log.transaction() as cursor:
        someone = {"id": "s42", "name": "Sophie Lefèvre-Dubois"}
        import_people(cursor, [someone], NOW)

    for typed in ("dubois", "lefevre", "LEFÈVRE", "dubois soph", "Lefevre Sophie"):
        assert ids(told, q=typed) == ["s42"], typed
        found = told.get("/v1/search", q=typed, kind="person")["items"]
        assert [each["id"] for each in found] == ["s42"], typed
    assert ids(told, q="dubois paul") == []


def test_what_looks_like_a_pattern_is_none(told: Api) -> None:
    assert ids(told, q="0 %") == ["roy_100"]
    assert ids(told, q="y_1") == ["roy_100"]
    assert ids(told, q="l_r") == []


def test_people_are_found_by_their_ids(told: Api) -> None:
    found = told.get("/v1/people", id=["leroy", "costa", "nobody"])["items"]

    assert [each["id"] for each in found] == ["costa", "leroy"]
    problem(told.call("GET", "/v1/people?id=costa", "auditor"), 403)
    problem(told.call("GET", "/v1/people?id=a%20b"), 422)


def test_the_directory_is_not_given_out_whole(told: Api) -> None:
    details = problem(told.call("GET", "/v1/people"), 422)

    assert "`q`, `email`, `phone` or `id`" in str(details["detail"])


def test_who_calls_and_what_is_open_for_them(told: Api) -> None:
    position = told.happened(
        opened("INC-000001", reporter="costa", client="mairie"),
        opened("INC-000002", reporter="leroy", client="mairie"),
        opened("INC-000003"),
    )

    seen = told.get("/v1/people/costa", min_position=position)

    assert seen["person"]["name"] == "M. Costa"
    assert seen["person"]["confirmed"] is True
    assert [row["ref"] for row in seen["reported"]] == ["INC-000001"]
    assert [row["ref"] for row in seen["of_client"]] == ["INC-000002"]
    assert "due_at" in seen["reported"][0]


def test_whom_only_incidents_know_is_shown_too(told: Api) -> None:
    position = told.happened(opened("INC-000001", reporter="somebody"))

    seen = told.get("/v1/people/somebody", min_position=position)

    assert seen["person"] is None
    assert len(seen["reported"]) == 1


def test_nobody_is_a_404_and_contact_details_are_for_the_desk(told: Api) -> None:
    problem(told.call("GET", "/v1/people/nobody"), 404)
    for who in ("auditor", "source"):
        problem(told.call("GET", "/v1/people?q=costa", who), 403)
        problem(told.call("GET", "/v1/people/costa", who), 403)


def test_whom_an_answer_reaches_is_known_before_it_is_sent(told: Api) -> None:
    ref, unreported = "INC-000020", "INC-000021"
    contact = {"policy": 1, "direction": "inbound", "channel": "phone"}
    message = {"kind": "receipt", "audience": "user", "channel": "mail"}
    caused_by = {"cause_stream": f"incident-{ref}", "cause_version": 1, "policy": 1}
    told.happened(
        opened(ref, reporter="costa", client="ours"),
        *(
            event_of(
                "incident.contacted", ref, person=person, contacted_at=NOW, **contact
            )
            for person in ("leroy", "roy_100", "stranger")
        ),
        event_of(
            "notification.requested",
            ref,
            person="costa",
            key="one",
            **message,
            **caused_by,
        ),
        event_of("notification.failed", ref, key="one", reason="550 no", attempts=1),
        opened(unreported),
    )

    def recipients(of: str, who: str = "agent") -> list[dict[str, Any]]:
        return list(told.get(f"/v1/incidents/{of}/recipients", who)["items"])

    costa, leroy, _, stranger = recipients(ref)
    assert costa == {
        "person": "costa",
        "name": "M. Costa",
        "address": "Costa@Valmont.example",
        "language": "en",
        "why_not": None,
        "last_failure": "550 no",
    }
    assert (leroy["why_not"], leroy["last_failure"]) == ("no_address", None)
    assert stranger["why_not"] == "unknown_person"
    unseen = recipients(ref, "auditor")
    assert {(each["name"], each["address"]) for each in unseen} == {(None, None)}
    with told.log.transaction() as cursor:
        limits = Limits(clients=frozenset({"mairie", "ours"}))
        made = create(cursor, NOW, "person:ines", ["agent"], limits=limits)
    told.tokens["limited"] = made.token
    within = {each["person"]: each for each in recipients(ref, "limited")}
    assert within["costa"] == costa
    assert within["roy_100"] | {"person": "stranger"} == within["stranger"]
    assert within["stranger"] | {"person": None} == {
        "person": None,
        "name": None,
        "address": None,
        "language": "en",
        "why_not": None,
        "last_failure": None,
    }, "of people of no client of theirs not even whether they are known"
    assert recipients(unreported) == []
    assert told.call("GET", "/v1/incidents/INC-000099/recipients").status_code == 404


def test_an_address_that_was_changed_without_a_record_is_shown_to_nobody(
    told: Api,
) -> None:
    """Nothing is sent there: a form that showed it would promise what is not done."""
    ref, person = "INC-000022", "costa"
    told.happened(opened(ref, reporter=person))
    recorded = fingerprint(
        told.log.vault, Address(person, "mail"), "costa@before.example"
    )
    event = PersonAddressChanged(
        at=NOW, by="system:ldap", person=person, address="mail", fingerprint=recorded
    )
    told.log.record(f"person-{person}", 0, [event])

    (found,) = told.get(f"/v1/incidents/{ref}/recipients")["items"]

    assert (found["why_not"], found["address"]) == ("address_changed", None)
