"""Contacts, problems and changes through the API to their owner: the real services."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

import httpx
import psycopg
import pytest

from tests.support.builders.format_bodies import GOOD
from tests.support.desks.api import problem
from tests.support.desks.running import Desk, running_desk
from tests.support.folders import reachable_folder
from tests.support.patience import SECONDS, answered, posted, until

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with (
        reachable_folder() as folder,
        running_desk(folder, start=("intake", "projections")) as running,
    ):
        with psycopg.connect(running.database.owner_dsn) as directory:
            directory.execute(
                "INSERT INTO directory.people (id, name, email, client, updated_at)"
                " VALUES ('lefevre', 'Mme Lefèvre', 'l@example.org', 'valmont', %s),"
                " ('costa', 'M. Costa', NULL, NULL, %s)",
                [datetime.now(UTC)] * 2,
            )
        yield running


def _post(desk: Desk, path: str, body: object = None, **headers: str) -> httpx.Response:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return desk.post(path, body, headers=given)


def _get(desk: Desk, path: str, expect: int = 200, **params: Any) -> dict[str, Any]:
    answer = desk.get(path, params=params)
    assert answer.status_code == expect, answer.text
    found: dict[str, Any] = answer.json()
    return found


def _contact(desk: Desk, **said: object) -> dict[str, Any]:
    body = {
        "person": "lefevre",
        "channel": "email",
        "words": "No mail\nsince 8",
        **said,
    }
    answer = _post(desk, "/v1/contacts", body)
    assert answer.status_code == 201, answer.text
    done: dict[str, Any] = answer.json()
    return done


def test_a_contact_opens_an_incident_of_the_persons_client(desk: Desk) -> None:
    done = _contact(desk, service="mail", waited_seconds=18)

    shown = _get(desk, f"/v1/incidents/{done['incident']}")
    assert (shown["title"], shown["reporter"]) == ("No mail", "lefevre")
    assert (shown["client"], shown["service"]) == ("valmont", "mail")
    assert (done["known"], done["note"]) == (True, None)


def test_the_receipt_has_the_reference_and_what_is_promised(desk: Desk) -> None:
    first = _contact(desk, service="mail")
    told = first["receipt"]

    assert told["reference"] == first["incident"]
    assert first["incident"] in told["text"]
    assert (told["language"], told["zone"]) == ("en", "UTC")
    assert told["promises"] == []  # the starter policy has no contract
    second = _contact(desk, person="costa", incident=first["incident"])
    assert "We knew of this incident already" in second["receipt"]["text"]


def test_a_contact_belongs_to_the_incident_it_names(desk: Desk) -> None:
    first = _contact(desk, service="mail")
    second = _contact(desk, person="costa", incident=first["incident"])

    assert second["incident"] == first["incident"]
    shown = _get(desk, f"/v1/incidents/{first['incident']}")
    assert shown["reporters"] == ["costa", "lefevre"]
    assert "no e-mail address of costa" in second["note"]


def test_somebody_unknown_is_heard_and_it_is_said_that_no_mail_reaches_them(
    desk: Desk,
) -> None:
    done = _contact(desk, person="stranger")

    assert (done["outcome"], done["known"]) == ("recorded", False)
    assert "permanence people import" in done["note"]


def test_the_same_contact_sent_again_is_one(desk: Desk) -> None:
    body = {"person": "lefevre", "channel": "web", "words": "No mail"}

    first = _post(desk, "/v1/contacts", body, Idempotency_Key="contact-1").json()
    again = _post(desk, "/v1/contacts", body, Idempotency_Key="contact-1").json()

    assert again["outcome"] == "repeated"
    assert again["incident"] == first["incident"]


def test_vrealize_adds_its_id_to_the_address_and_cancels_by_put(desk: Desk) -> None:
    alert = GOOD["vrealize"]
    url = f"{desk.api_url}/v1/integrations/vrealize/{desk.tokens['source']}"

    fires, recovers = (
        answered(
            partial(
                httpx.request,
                method,
                f"{url}/{alert['alertId']}",
                json={**alert, "status": status},
                timeout=SECONDS,
            )
        ).json()["results"][0]
        for method, status in (("POST", "ACTIVE"), ("PUT", "CANCELED"))
    )

    assert (fires["status"], recovers["status"]) == ("opened", "recovered")
    assert fires["incident"] == recovers["incident"]


def test_the_same_contact_sent_to_intake_is_the_same_too(desk: Desk) -> None:
    body = {"person": "lefevre", "channel": "phone", "words": "No mail"}
    key = {**desk.bearer("agent"), "Idempotency-Key": "contact-2"}

    first, again = (
        posted(f"{url}/v1/contacts", json=body, headers=key)
        for url in (desk.api_url, desk.intake_url)
    )

    assert again.json()["outcome"] == "repeated"
    assert again.json()["incident"] == first.json()["incident"]
    assert again.json().keys() == first.json().keys()


def test_a_contact_about_nothing_is_refused_with_what_to_do(desk: Desk) -> None:
    body = {"person": "lefevre", "channel": "phone", "abandoned": True}

    details = problem(_post(desk, "/v1/contacts", body), 422)

    assert "such as `Call back`" in str(details["detail"])
    unknown = {**body, "incident": "INC-999999"}
    assert problem(_post(desk, "/v1/contacts", unknown), 404)["code"]


def test_open_incidents_of_the_person_and_the_service_are_proposed(desk: Desk) -> None:
    both = _contact(desk, person="nouveau", service="web")
    service = _contact(desk, person="costa", service="web")

    found = _get(
        desk,
        "/v1/contacts/candidates",
        person="nouveau",
        service="web",
        min_position=service["positions"][-1],
    )

    items = [(item["incident"]["ref"], item["because"]) for item in found["items"]]
    assert items == [
        (both["incident"], ["person", "service"]),
        (service["incident"], ["service"]),
    ]


def test_a_problem_lives_and_its_incident_knows(desk: Desk) -> None:
    incident = _contact(desk, service="mail")["incident"]
    found = {"title": "The mail server is full", "incident": incident}
    answer = _post(desk, "/v1/problems", found, Idempotency_Key="problem-1")
    again = _post(desk, "/v1/problems", found, Idempotency_Key="problem-1")
    ref = answer.json()["record"]

    assert answer.status_code == 201, answer.text
    assert answer.headers["Location"] == f"/v1/problems/{ref}"
    assert again.json() == {**answer.json(), "outcome": "repeated"}
    _post(desk, f"/v1/problems/{ref}/workaround", {"text": "Use the web"})
    done = _post(desk, f"/v1/problems/{ref}/resolve", If_Match='"2"')
    assert done.json()["version"] == 3, done.text
    shown = _get(desk, f"/v1/problems/{ref}")
    assert (shown["status"], shown["incidents"]) == ("resolved", [incident])
    assert (shown["workaround"], shown["version"]) == ("Use the web", 3)
    links = _get(desk, f"/v1/incidents/{incident}")["links"]
    state = {"title": "The mail server is full", "status": "resolved"}
    assert links == [{"relation": "problem", "target": ref, **state}]


def test_a_change_lives_and_its_incident_knows(desk: Desk) -> None:
    incident = _contact(desk, service="mail")["incident"]
    asked = _post(desk, "/v1/changes", {"title": "A disk", "incident": incident})
    ref = asked.json()["record"]
    plan = {"planned_for": "2030-01-02T03:00:00Z"}

    _post(desk, f"/v1/changes/{ref}/plan", plan)
    at_plan = _get(desk, f"/v1/changes/{ref}")
    _post(desk, f"/v1/changes/{ref}/implement")

    assert (at_plan["status"], at_plan["planned_for"]) == (
        "planned",
        plan["planned_for"],
    )
    assert _get(desk, f"/v1/changes/{ref}")["status"] == "implemented"
    before = _get(desk, f"/v1/changes/{ref}", at=at_plan["as_of"]["time"])
    assert before["status"] == "planned"
    no = _post(desk, f"/v1/changes/{ref}/cancel", {"reason": "late"})
    assert "undoes it" in str(problem(no, 409)["detail"])


def test_a_change_that_is_linked_afterwards_shows_its_incidents(desk: Desk) -> None:
    first, second = (_contact(desk, service="mail")["incident"] for _ in range(2))
    cause = _post(desk, "/v1/problems", {"title": "Full"}).json()["record"]
    asked = _post(desk, "/v1/changes", {"title": "A disk", "problem": cause})
    ref = asked.json()["record"]
    _post(desk, f"/v1/incidents/{first}/link", {"relation": "change", "target": ref})
    _post(
        desk,
        f"/v1/changes/{ref}/link",
        {"incident": second, "relation": "caused_by"},
    )

    shown = _get(desk, f"/v1/changes/{ref}")
    assert (shown["incident"], shown["incidents"]) == (first, [first])
    assert shown["caused"] == [second]
    assert _get(desk, f"/v1/problems/{cause}")["changes"] == [ref]
    state = {"title": "A disk", "status": "requested"}
    assert _get(desk, f"/v1/incidents/{second}")["links"] == [
        {"relation": "caused_by", "target": ref, **state}
    ]
    _post(desk, f"/v1/changes/{ref}/unlink", {"incident": first})
    assert _get(desk, f"/v1/changes/{ref}")["incidents"] == []
    assert _get(desk, f"/v1/incidents/{first}")["links"] == []


def test_a_problem_and_its_change_list_their_incidents_for_the_team_that_gets_them(
    desk: Desk,
) -> None:
    first, second, third = (
        _contact(desk, service="mail", words=words)["incident"]
        for words in ("No mail", "Mail is late", "Mails come twice")
    )
    found = {"title": "Full", "incident": first}
    cause = _post(desk, "/v1/problems", found).json()["record"]
    _post(desk, f"/v1/problems/{cause}/link", {"incident": second})
    asked = {"title": "A disk", "problem": cause, "incident": third}
    change = _post(desk, "/v1/changes", asked).json()["record"]

    page = _get(desk, f"/v1/problems/{cause}/incidents", limit=1)
    rest = _get(desk, f"/v1/problems/{cause}/incidents", cursor=page["next_cursor"])
    of_change = _get(desk, f"/v1/changes/{change}/incidents")["items"]

    for path, count in ((f"problems/{cause}", 2), (f"changes/{change}", 3)):
        table = desk.get(f"/v1/{path}/incidents?format=csv")
        assert len(table.text.splitlines()) == 1 + count, table.text

    listed = [*page["items"], *rest["items"]]
    assert [(each["ref"], each["title"]) for each in listed] == [
        (first, "No mail"),
        (second, "Mail is late"),
    ]
    assert [(each["ref"], each["relation"], each["via"]) for each in of_change] == [
        (first, "problem", cause),
        (second, "problem", cause),
        (third, "change", None),
    ]
    before = _get(
        desk, f"/v1/problems/{cause}/incidents", at="2020-01-01T00:00:00Z", expect=404
    )
    assert before["code"] == "unknown_problem"


def test_records_are_listed_by_the_team_that_has_them_now(desk: Desk) -> None:
    ref = _post(desk, "/v1/problems", {"title": "Full"}).json()["record"]
    team = _get(desk, f"/v1/problems/{ref}")["team"]

    found = _get(desk, "/v1/problems", team=team, limit=1)["items"]

    assert [item["ref"] for item in found] == [ref]
    assert _get(desk, "/v1/problems", team="nobody")["items"] == []
    assert _get(desk, "/v1/changes", team="nobody")["items"] == []


def test_closing_on_a_workaround_asks_for_a_problem_and_shows_the_open_cause(
    desk: Desk,
) -> None:
    incident = _contact(desk, service="mail")["incident"]
    path = f"/v1/incidents/{incident}"
    _post(desk, f"{path}/restore", {"workaround": True})
    _post(desk, f"{path}/resolve")
    closed = _post(desk, f"{path}/close").json()
    asked_at = closed["positions"][-1]

    shown = _get(desk, path)
    assert "link it to a problem" in closed["asks"]
    assert (shown["status"], shown["root_cause"]) == ("closed", "open")
    (row,) = _get(
        desk,
        "/v1/queues/all/incidents",
        status="closed",
        q=incident,
        min_position=asked_at,
    )["items"]
    assert row["root_cause"] == "open"
    lines = _get(desk, f"{path}/timeline")["items"]
    assert "the root cause is open" in lines[-1]["sentence"]
    problem_ref = _post(
        desk, "/v1/problems", {"title": "Full", "incident": incident}
    ).json()["record"]
    for verb, body in (("workaround", {"text": "Wait"}), ("diagnose", {"cause": "x"})):
        _post(desk, f"/v1/problems/{problem_ref}/{verb}", body)
    assert _get(desk, path)["root_cause"] == "problem"
    assert _get(desk, f"/v1/problems/{problem_ref}")["known_error"] is True
    back = _post(desk, f"{path}/reopen", {"reason": "again"}).json()
    found = _get(desk, path, min_position=back["positions"][-1])
    assert (found["quick_fix"], found["root_cause"]) == (True, None)


def test_a_resolved_problem_leaves_no_cause_of_its_incidents_open(desk: Desk) -> None:
    incident = _contact(desk, service="mail")["incident"]
    path = f"/v1/incidents/{incident}"
    _post(desk, f"{path}/restore", {"workaround": True})
    _post(desk, f"{path}/resolve")
    cause = _post(desk, "/v1/problems", {"title": "Full", "incident": incident}).json()
    where = {"q": incident, "min_position": cause["positions"][-1]}
    queue = "/v1/queues/all/incidents"

    for asked, found in (("problem", [incident]), ("open", [])):
        items = _get(desk, queue, root_cause=asked, **where)["items"]
        assert [item["ref"] for item in items] == found
    _post(desk, f"/v1/problems/{cause['record']}/resolve")
    until(lambda: _get(desk, path)["root_cause"] is None, "no cause is left")
    shown = _get(desk, path)
    assert shown["problems"] == [cause["record"]]
    heard = {"min_position": shown["as_of"]["position"]}
    last = _get(desk, f"{path}/timeline", **heard)["items"][-1]
    assert last["sentence"] == f"{cause['record']}, its cause, was resolved."


def test_the_newest_come_first_page_by_page_and_open_ones_alone(desk: Desk) -> None:
    refs = [
        _post(desk, "/v1/problems", {"title": str(n)}).json()["record"]
        for n in range(3)
    ]
    _post(desk, f"/v1/problems/{refs[1]}/resolve")

    first = _get(desk, "/v1/problems", limit=2)
    second = _get(desk, "/v1/problems", limit=1, cursor=first["next_cursor"])
    still_open = _get(desk, "/v1/problems", status="open", limit=2)

    assert [item["ref"] for item in first["items"]] == [refs[2], refs[1]]
    assert second["items"][0]["ref"] == refs[0]
    assert [item["ref"] for item in still_open["items"]] == [refs[2], refs[0]]
    for path, other in (("/v1/problems", "CHG-000001"), ("/v1/changes", refs[0])):
        no = _get(desk, path, 422, cursor=other)
        assert "cursor" in no["detail"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/problems/PRB-999999/resolve", 404),
        ("/v1/changes/CHG-999999/implement", 404),
        ("/v1/problems/CHG-000001/resolve", 422),
        ("/v1/problems/PRB-000001/explode", 404),
    ],
)
def test_what_is_not_there_is_said_to_be_so(desk: Desk, path: str, status: int) -> None:
    problem(_post(desk, path), status)


def test_a_link_to_an_unknown_problem_is_refused(desk: Desk) -> None:
    incident = _contact(desk)["incident"]
    link = {"relation": "problem", "target": "PRB-999999"}

    details = problem(_post(desk, f"/v1/incidents/{incident}/link", link), 422)

    assert "no problem PRB-999999" in str(details["detail"])
