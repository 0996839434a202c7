"""A day at the desk: who is sought is found, who waits is told, each once."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from shared.domain.events.contact_method import PersonContactMethodRemoved
from tests.support.builders.promises import local
from tests.support.desks.notifying import CallingDesk, calling_desk
from tests.support.folders import reachable_folder
from tests.support.patience import until

pytestmark = pytest.mark.servers


HOME = {"kind": "mail", "value": "bruno@home.example"}


@pytest.fixture
def desk() -> Iterator[CallingDesk]:
    with reachable_folder() as folder, calling_desk(folder) as running:
        yield running


def test_payroll_from_the_report_to_who_accepts_it(desk: CallingDesk) -> None:
    desk.desk.move_to(local("09:10"))
    incident = desk.open()
    desk.until_said(incident, "notification.confirmed")
    desk.desk.move_to(local("09:14"))
    desk.post(f"/v1/incidents/{incident}/acknowledge")
    desk.until_said(incident, "notification.confirmed", 2)
    desk.desk.move_to(local("09:30"))
    desk.until_said(incident, "notification.confirmed", 5)
    desk.desk.move_to(local("09:45"))
    desk.until_said(incident, "notification.confirmed", 7)
    desk.desk.move_to(local("09:52"))
    desk.post(f"/v1/incidents/{incident}/accept", who="chloe")
    desk.desk.move_to(local("12:00"))
    desk.until_quiet()

    kinds = [event.type for event in desk.said(incident)]
    assert kinds.count("escalation.escalated") == 1
    assert kinds.count("escalation.paged") == 2
    assert kinds.count("escalation.accepted") == 1
    assert kinds.count("notification.failed") == 0
    assert len(desk.to("roche")) == 3
    assert len(desk.to("chloe")) == 1
    page, taken = desk.to("bruno")
    assert "on a besoin de vous" in page
    assert "Un collègue l’a pris" in taken
    assert len(desk.postbox.requests) == 2


def mailed(desk: CallingDesk, address: str) -> list[str]:
    """Return subject and text of what an address got, oldest first."""
    return [
        f"{mail['subject']}\n{mail.get_content()}" for mail in desk.inbox.to(address)
    ]


def reach_at_home_first(desk: CallingDesk) -> None:
    """Let bruno add an address, enter its code, and put it before the other one."""
    own = "/v1/people/bruno"
    added = desk.post(f"{own}/contact-methods", HOME, "bruno").json()
    until(lambda: bool(mailed(desk, HOME["value"])), "the code arrives")
    (code,) = re.findall(r"\b[0-9]{6}\b(?=\s*\n)", mailed(desk, HOME["value"])[0])[:1]
    method = added["method"]
    verify = f"{own}/contact-methods/{method}/verify"
    wrong = desk.ask(verify, {"code": f"{(int(code) + 1) % 10**6:06}"}, "bruno")
    assert (wrong.status_code, wrong.json()["code"]) == (422, "wrong_code")
    desk.post(verify, {"code": code}, "bruno")
    rules = [{"method": method}, {"method": "mail", "delay_minutes": 2}]
    desk.post(f"{own}/notification-rules", {"important": rules}, "bruno")


def lose_verification(desk: CallingDesk, person: str) -> None:
    """Let nobody know any more that the address of a person is theirs."""
    gone = PersonContactMethodRemoved(
        at=local("09:10"), by="person:root", person=person, method="mail"
    )
    log = desk.desk.log()
    log.record(f"person-{person}", 1, [gone])
    log.close()
    desk.sql("DELETE FROM directory.contact_methods WHERE person = %s", person)


def test_a_page_goes_over_verified_methods_in_order_and_says_little_to_others(
    desk: CallingDesk,
) -> None:
    desk.desk.move_to(local("09:10"))
    reach_at_home_first(desk)
    lose_verification(desk, "chloe")
    until(lambda: len(desk.to("bruno")) == 2, "notices of what was added and verified")

    incident = desk.open()
    desk.until_said(incident, "notification.confirmed")
    desk.desk.move_to(local("09:30"))
    until(lambda: len(mailed(desk, HOME["value"])) == 2, "the page arrives at home")
    desk.until_quiet()
    assert len(desk.to("bruno")) == 2
    desk.desk.move_to(local("09:32"))
    until(lambda: len(desk.to("bruno")) == 3, "the page arrives at the other address")
    desk.desk.move_to(local("09:45"))
    until(lambda: bool(desk.to("chloe")), "the page of chloe")
    desk.until_quiet()

    assert "Totaux faux" in mailed(desk, HOME["value"])[1]
    (brief,) = mailed(desk, "chloe@valmont.example")
    assert (incident in brief, "Totaux faux" in brief) == (True, False)
    assert any("Chloe" in subject for subject in desk.to("sylvie"))
    counted = ("escalation.unreachable", "notification.planned")
    assert [desk.count(incident, kind) for kind in counted] == [1, 1]
    assert HOME["value"] not in str(desk.said(incident))


def joins_once(desk: CallingDesk, incident: str, problem: str) -> None:
    """Join a hand-over to a problem, again under its key, and to no other problem."""
    join, key = f"/v1/handovers/{incident}/join", "joins"
    desk.post(join, {"problem": problem}, "helene", Idempotency_Key=key)
    desk.until_said(incident, "handover.joined")
    again = desk.post(join, {"problem": problem}, "helene", Idempotency_Key=key).json()
    assert (again["outcome"], again["record"]) == ("repeated", problem)
    other = {"problem": "PRB-000099"}
    elsewhere = desk.ask(join, other, "helene", Idempotency_Key=key)
    assert (elsewhere.status_code, elsewhere.json()["code"]) == (409, "state")


def test_a_broken_promise_is_handed_over_once_and_answered(desk: CallingDesk) -> None:
    desk.desk.move_to(local("07-02 09:10"))
    incident = desk.open(service="messagerie", impact="medium")
    declined = desk.open(service="messagerie", impact="medium")
    joined = desk.open(service="vpn", impact="medium")
    desk.until_said(joined, "notification.confirmed")
    desk.desk.move_to(local("07-04 17:00"))
    for each in (incident, declined, joined):
        desk.until_said(each, "handover.requested")

    waiting = desk.get("/v1/handovers")["items"]
    assert {each["incident"] for each in waiting} == {declined, incident, joined}
    accept, key = f"/v1/handovers/{incident}/accept", "once"
    problem = desk.post(accept, who="helene", Idempotency_Key=key).json()
    at_once = desk.ask(accept, who="nadia")
    assert (at_once.status_code, at_once.json()["code"]) == (409, "state")
    desk.until_said(incident, "handover.accepted")
    no = desk.ask(accept, who="helene")
    assert (no.status_code, no.json()["code"]) == (409, "state")
    again = desk.post(accept, who="helene", Idempotency_Key=key).json()
    assert (again["outcome"], again["record"]) == ("repeated", problem["record"])
    desk.post(f"/v1/handovers/{declined}/decline", {"reason": "Ours"}, "helene")
    assert desk.count(declined, "handover.declined") == 1
    joins_once(desk, joined, problem["record"])
    assert desk.get("/v1/handovers")["items"] == []
    listed = desk.get("/v1/handovers?state=all")["items"]
    answered = {each["incident"]: (each["reason"], each["problem"]) for each in listed}
    assert answered == {
        incident: (None, problem["record"]),
        declined: ("Ours", None),
        joined: (None, problem["record"]),
    }


def test_the_team_that_gets_a_problem_or_a_change_is_told_with_the_list(
    desk: CallingDesk,
) -> None:
    first, second = desk.open(), desk.open(title="Net faux")
    record = {"title": "Taux périmés", "incident": first}
    problem = desk.post("/v1/problems", record).json()["record"]
    desk.post(f"/v1/problems/{problem}/link", {"incident": second})
    change = desk.post("/v1/changes", record).json()["record"]

    for path in (f"problems/{problem}", f"changes/{change}"):
        desk.post(f"/v1/{path}/assign", {"team": "etudes"})
        desk.post(f"/v1/{path}/assign", {"team": "etudes"})
    until(lambda: len(desk.to("karim")) == 2, "karim hears of both")
    desk.until_quiet()

    assert desk.to("karim") == [
        f"[{first}] Pour votre équipe, {problem} : Taux périmés",
        f"[{first}] Pour votre équipe, {change} : Taux périmés",
    ]
    mails = [
        mail.get_content().replace("\r\n", "\n")
        for mail in desk.inbox.mails
        if "Pour votre équipe" in str(mail["subject"])
    ]
    both = f"    {first}: Totaux faux\n    {second}: Net faux\n"
    assert "Nadia a confié le problème" in mails[0]
    assert both in mails[0]
    assert f"    {first}: Totaux faux\n" in mails[1]
    assert second not in mails[1]
    posted = [json.loads(each.body) for each in desk.postbox.requests]
    (told, _) = [each for each in posted if each["kind"] == "routed"]
    assert told["record"] == {
        "ref": problem,
        "title": "Taux périmés",
        "incidents": [
            {"ref": first, "title": "Totaux faux"},
            {"ref": second, "title": "Net faux"},
        ],
    }
    assert told["event"]["team"] == "etudes"


def service_that_waits(desk: CallingDesk) -> Any:
    """Break three promises of one service; return its hand-over."""
    desk.desk.move_to(local("07-02 09:10"))
    three = [desk.open(service="messagerie", impact="medium") for _ in range(3)]
    desk.desk.move_to(local("07-04 17:00"))
    listed = "/v1/service-handovers"
    until(lambda: len(desk.get(listed)["items"]) == 1, "the service waits")
    (waiting,) = desk.get(listed)["items"]
    counted = [each["incident"] for each in waiting["counted"]]
    # The third in the log tips it: of equal instants, whichever the watcher took last.
    assert counted == three
    assert waiting["incident"] in three
    assert waiting["service"] == "messagerie"
    return waiting


def test_a_service_late_too_often_is_handed_over_once_and_answered(
    desk: CallingDesk,
) -> None:
    last = service_that_waits(desk)["incident"]
    door = f"/v1/service-handovers/{last}"
    desk.post(f"/v1/handovers/{last}/decline", {"reason": "Ours"}, "helene")
    problem = desk.post(f"{door}/accept", who="helene").json()["record"]
    shown = f"/v1/problems/{problem}"
    until(lambda: bool(desk.get(shown)["services"]), "the service in the problem")

    found = desk.get(shown)
    assert found["service"] == "messagerie"
    assert [each["incident"] for each in found["services"]] == [last]
    (record,) = desk.get("/v1/problems")["items"]
    assert record["services"] == found["services"]
    seen = desk.get(f"/v1/incidents/{last}")["service_handover"]
    assert (seen["state"], seen["problem"]) == ("accepted", problem)


def test_a_service_that_was_handed_over_is_answered_about_once(
    desk: CallingDesk,
) -> None:
    waiting = service_that_waits(desk)
    last = waiting["incident"]
    door = f"/v1/service-handovers/{last}"
    desk.post(f"/v1/handovers/{last}/decline", {"reason": "Ours"}, "helene")
    problem = desk.post(f"{door}/accept", who="helene").json()["record"]
    desk.until_said(last, "handover.service_accepted")

    for verb, body in (
        ("accept", {}),
        ("join", {"problem": problem}),
        ("decline", {"reason": "No"}),
    ):
        late = desk.ask(f"{door}/{verb}", body, who="helene")
        assert (late.status_code, late.json()["code"]) == (409, "state"), late.text
    counted = {each["incident"] for each in waiting["counted"]}
    other = min(counted - {last})
    nothing = desk.ask(f"/v1/service-handovers/{other}/decline", {"reason": "No"})
    assert (nothing.status_code, nothing.json()["code"]) == (404, "unknown_handover")


def test_a_workaround_reaches_the_users_of_what_is_open(desk: CallingDesk) -> None:
    desk.desk.move_to(local("07-07 09:10"))
    first, second = desk.open(service="vpn"), desk.open(service="vpn", reporter="petit")
    named = {"title": "Tunnel", "incident": first}
    problem = desk.post("/v1/problems", named).json()["record"]
    desk.post(f"/v1/problems/{problem}/link", {"incident": second})
    desk.post(f"/v1/incidents/{second}/resolve")
    desk.until_said(second, "notification.confirmed", 2)
    before = len(desk.to("petit"))
    desk.post(f"/v1/problems/{problem}/workaround", {"text": "Relancez"})
    desk.until_said(first, "notification.confirmed", 2)
    desk.until_quiet()

    assert len(desk.to("petit")) == before
    told = [e for e in desk.said(first) if e.type == "notification.requested"]
    assert [getattr(each, "kind", None) for each in told] == [
        "receipt",
        "problem_workaround",
    ]
    third = desk.open(service="vpn", reporter="petit")
    link = {"relation": "problem", "target": problem}
    desk.post(f"/v1/incidents/{third}/link", link)
    desk.until_said(third, "notification.confirmed", 2)
    desk.until_quiet()
    later = [e for e in desk.said(third) if e.type == "notification.requested"]
    assert [getattr(each, "kind", None) for each in later] == [
        "receipt",
        "problem_workaround",
    ]
    assert third in desk.to("petit")[-1]


def test_the_desk_that_acknowledges_takes_nothing_from_who_has_accepted_it(
    desk: CallingDesk,
) -> None:
    desk.desk.move_to(local("07-09 09:10"))
    incident = desk.open()
    path = f"/v1/incidents/{incident}"
    desk.post(f"{path}/escalate", {"reason": "code", "level": "n3"})
    desk.post(f"{path}/accept", who="karim")
    taken = desk.post(f"{path}/acknowledge").json()

    position = taken["positions"][-1]
    seen = desk.get(f"{path}?min_position={position}")
    assert len(taken["positions"]) == 1
    assert (seen["team"], seen["level"]) == ("etudes", "n3")
    assert (seen["accepted_by"], seen["assignee"]) == ("karim", None)


def _nothing_happens_by_previews(
    desk: CallingDesk, incident: str, body: dict[str, str]
) -> None:
    """Preview escalating, and accepting what is with the desk; escalate a stale one."""
    previews: list[tuple[str, dict[str, str], dict[str, int]]] = [
        ("escalate", body, {"would_record": 1}),
        ("accept", {}, {"refused": 1}),
    ]
    for verb, given, found in previews:
        bulk = {"verb": verb, "body": given, "refs": [incident], "preview": True}
        assert desk.post("/v1/bulk", bulk).json()["counts"] == found
    path = f"/v1/incidents/{incident}/escalate"
    stale = desk.ask(path, body, If_Match='"99"')
    assert (stale.status_code, stale.json()["code"]) == (412, "version")
    assert desk.count(incident, "escalation.escalated") == 0


def test_commands_are_done_once_and_refused_with_reason(desk: CallingDesk) -> None:
    desk.desk.move_to(local("07-08 09:10"))
    incident = desk.open()
    path = f"/v1/incidents/{incident}"
    early = desk.ask(f"{path}/accept", who="bruno")
    assert (early.status_code, early.json()["code"]) == (409, "state")
    body = {"reason": "Base de données"}
    _nothing_happens_by_previews(desk, incident, body)
    done = desk.post(f"{path}/escalate", body, Idempotency_Key="once").json()
    again = desk.post(f"{path}/escalate", body, Idempotency_Key="once").json()
    assert (done["outcome"], again["outcome"]) == ("recorded", "repeated")
    assert again["positions"] == done["positions"]
    misused = desk.ask(f"{path}/escalate", {"reason": "x"}, Idempotency_Key="once")
    assert misused.json()["code"] == "idempotency_key"
    same = desk.post(f"{path}/escalate", {"reason": "x", "level": "n2"}).json()
    assert (same["outcome"], same["positions"]) == ("already", [])
    nobody = desk.ask("/v1/incidents/INC-999999/accept")
    assert (nobody.status_code, nobody.json()["code"]) == (404, "unknown_incident")
    unknown = {"reason": "x", "team": "no-such"}
    both = {"reason": "x", "team": "etudes", "level": "n3"}
    for wrong in (unknown, both, {}):
        assert desk.ask(f"{path}/escalate", wrong).status_code == 422
    moved = [e for e in desk.said(incident) if e.type == "escalation.escalated"]
    assert [getattr(each, "reason", None) for each in moved] == ["Base de données"]
    # A command that is not answered in time is sent again, and refused again.
    refused = desk.sql(
        "SELECT code FROM escalation.refusals GROUP BY verb, incident, code"
        " ORDER BY min(refusal_id)"
    )
    assert [code for (code,) in refused] == ["state", "unknown_incident", "invalid"]


def test_whom_the_directory_does_not_know_is_not_told_and_it_says_so(
    desk: CallingDesk,
) -> None:
    desk.desk.move_to(local("07-09 09:10"))
    incident = desk.open(reporter="stranger")
    desk.until_said(incident, "notification.failed")

    (failed,) = [e for e in desk.said(incident) if e.type == "notification.failed"]
    assert "directory" in getattr(failed, "reason", "")
    assert desk.count(incident, "notification.sent") == 0
