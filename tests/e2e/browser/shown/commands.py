"""What agents and monitoring send over HTTP before a test looks at a page."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import httpx

from shared.domain.events.survey import SurveyInvited
from shared.domain.identifiers import survey_stream
from shared.eventlog.append import AppendUnit
from shared.security.access import create
from shared.security.signed_links import (
    PAGE_TEST_LINKS_PURPOSE,
    REPORT_LINK_VALID,
    REPORT_LINKS_PURPOSE,
    SURVEY_LINKS_PURPOSE,
    PageTestLink,
    ReportLink,
    SurveyLink,
    token_of,
)
from tests.support.builders.short_events import note
from tests.support.desks.lever_walk import settle
from tests.support.desks.running import Desk
from tests.support.patience import SECONDS, answered, until

AHEAD = timedelta(days=30)
"""When the changes of on call begin that the screens show."""


def until_shown(desk: Desk) -> None:
    """Return once pages show what was done, and what the services made of it.

    Promises follow on an incident a moment later. A page that is looked at before that
    changes meanwhile.
    """
    settle(desk)
    desk.until_applied()


def commanded(desk: Desk, path: str, **body: str) -> str:
    """Act on an incident as an agent; return its reference once pages show the act.

    `path` follows `/v1/incidents`: empty to open one, `/INC-…/pause` to act.
    """
    answer = desk.post(f"/v1/incidents{path}", body)
    assert answer.is_success, answer.text
    until_shown(desk)
    return str(answer.json()["incident"])


def signalled(
    desk: Desk, *alerts: Mapping[str, object], shown: bool = True
) -> list[str]:
    """Send alerts; return their incidents, which nobody has taken on.

    They are `shown` by pages then; otherwise no service but intake is needed.
    """
    url, headers = f"{desk.intake_url}/v1/events", desk.bearer("source")
    body = [{"action": "trigger", **alert} for alert in alerts]
    answer = answered(
        lambda: httpx.post(url, json=body, headers=headers, timeout=SECONDS)
    )
    assert answer.is_success, answer.text
    results = answer.json()["results"]
    if shown:
        until_shown(desk)
    return [str(each["incident"]) for each in results]


def reviewed(desk: Desk, title: str = "Shown outage") -> str:
    """Return an incident whose review has an edition, and is being corrected."""
    ref = commanded(desk, "", title=title, service="mail", impact="high")
    commanded(desk, f"/{ref}/resolve", note="Restarted")
    for path, body in (
        ("", {"owner": "expert"}),
        ("/sections/summary", {"text": "The link was cut."}),
        ("/actions", {"owner": "expert", "due": "2999-12-31", "task": "A second link"}),
        ("/submit", {}),
        ("/publish", {}),
        ("/revise", {"reason": "A time was wrong"}),
    ):
        answer = desk.post(f"/v1/incidents/{ref}/review{path}", body, "manager")
        assert answer.is_success, answer.text
    desk.until_applied()
    return ref


def quarantined(desk: Desk) -> str:
    """Return the number of an element that cannot be mapped."""
    alert = {"status": "unclear", "labels": {"alertname": "Shown unclear"}}
    url = f"{desk.intake_url}/v1/integrations/alertmanager"
    body, headers = {"alerts": [alert]}, desk.bearer("alertmanager")
    sent = answered(
        lambda: httpx.post(url, json=body, headers=headers, timeout=SECONDS)
    )
    assert sent.json()["results"][0]["status"] == "quarantined", sent.text
    listed = desk.get("/v1/quarantine", "admin").json()["items"]
    return str(listed[-1]["id"])


def parked(desk: Desk) -> str:
    """Return a stream of which `timeline` parked an event, and skipped the one before.

    Nobody can read them; no other screen shows the incident.
    """
    stream = "incident-INC-900001"
    log = desk.log()
    with log.transaction() as cursor:
        events = tuple(note(stream, version) for version in (1, 2))
        log.append(cursor, [AppendUnit(events)])
    log.close()
    until(lambda: _is_parked(desk, stream), "the events are parked")
    first = desk.get(f"/v1/parked/timeline/{stream}", "admin").json()["parked"]
    body = {"position": first["position"], "reason": "Written by a test"}
    skipped = desk.ask_reader(f"/v1/parked/timeline/{stream}/skip", body)
    assert skipped.json()["outcome"] == "skipped", skipped.text
    return stream


def _is_parked(desk: Desk, stream: str) -> bool:
    listed = desk.get("/v1/parked?reader=timeline", "admin").json()["items"]
    return any(each["stream"] == stream for each in listed)


def announced(desk: Desk) -> None:
    """Announce maintenance: of a service that no other screen needs alerts of."""
    for body in (
        {"service": "unknown", "duration": "90m", "reason": "A new disk"},
        {"service": "unknown", "start": _ahead(1), "end": _ahead(2), "reason": "More"},
    ):
        answer = desk.post("/v1/maintenance", body, "manager")
        assert answer.is_success, answer.text


def handed_over(desk: Desk, problem: str) -> None:
    """Record a call whose time was used up before: it goes to Problem Management.

    There it joins the open problem of its service.
    """
    call = {"person": "petit", "channel": "email", "words": "Late", "service": "mail"}
    late = (datetime.now(UTC) - timedelta(hours=5)).isoformat()
    told = {"impact": "high", "urgency": "high", "reported_at": late}
    body = call | told | {"backdated_because": "read late"}
    answer = desk.post("/v1/contacts", body)
    assert answer.is_success, answer.text
    until(
        lambda: bool(desk.get("/v1/handovers?state=all").json()["items"]),
        "an incident is handed over",
    )
    until(
        lambda: bool(desk.get(f"/v1/problems/{problem}/incidents").json()["items"]),
        "it joins the problem",
    )


def _ahead(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).isoformat()


def survey_about(desk: Desk, person: str) -> str:
    """Return the link of a person who is asked about a closed incident."""
    told = {"title": "A visit", "service": "mail", "channel": "in_person"}
    ref = commanded(desk, "", reporter=person, **told)
    commanded(desk, f"/{ref}/resolve", note="Restarted")
    commanded(desk, f"/{ref}/close")
    log = desk.log()
    until(lambda: log.head_version(survey_stream(ref)) > 0, f"a survey about {ref}")
    key = log.vault.key_for(SURVEY_LINKS_PURPOSE)
    (invited,) = (entry.event for entry in log.history(survey_stream(ref)))
    log.close()
    assert key is not None
    assert isinstance(invited, SurveyInvited)
    return token_of(key, SurveyLink(ref, person, invited.expires_at))


def month_report_of(desk: Desk, month: str) -> str:
    """Publish a report of the client `ours`, with a comment; return Petit's link."""
    path = f"/v1/month-reports/ours/{month}"

    def post(verb: str, who: str, **body: str) -> None:
        answer = desk.post(f"{path}/{verb}", body, who)
        assert answer.is_success, answer.text

    post("comment", "agent", section="overall", text="A calm month.")
    report = desk.get(path, "manager").json()
    post("approve", "manager", seen=report["seen"])
    post("publish", "manager")
    report = desk.get(path, "manager").json()
    (edition,) = report["editions"]
    until = datetime.fromisoformat(edition["published_at"]) + REPORT_LINK_VALID
    log = desk.log()
    key = log.vault.key_for(REPORT_LINKS_PURPOSE)
    log.close()
    assert key is not None
    return token_of(key, ReportLink(f"ours.{month}.1", "petit", until))


def page_test_of(desk: Desk, person: str) -> str:
    """Return the link of a person who tests their own pages."""
    log = desk.log()
    now = datetime.now(UTC)
    with log.transaction() as cursor:
        token = create(cursor, now, f"person:{person}", ["agent"]).token
    own = {"Authorization": f"Bearer {token}"}
    answer = desk.post("/v1/oncall/page-tests", {"person": person}, headers=own)
    assert answer.is_success, answer.text
    (test,) = answer.json()["tests"]
    key = log.vault.key_for(PAGE_TEST_LINKS_PURPOSE)
    log.close()
    assert key is not None
    until = datetime.fromisoformat(test["expires_at"])
    return token_of(key, PageTestLink(test["test"], person, until))


def delayed(desk: Desk) -> tuple[str, str]:
    """Return an incident of a user, and the longer delay that they are asked for."""
    call = {"person": "petit", "channel": "phone", "words": "Paper", "service": "web"}
    ref = str(desk.post("/v1/contacts", call).json()["incident"])
    later = (datetime.now(UTC) + timedelta(days=9)).isoformat()
    more = {"new_due_at": later, "reason": "A part is missing."}
    asked = desk.post(f"/v1/incidents/{ref}/extensions", more)
    assert asked.is_success, asked.text
    return ref, str(asked.json()["extension"])


def linked_record(desk: Desk, ref: str) -> str:
    """Return the id of a record of another system that an incident is linked to."""
    id_ = "shown-1"
    record = f"configuration_item/{id_}"
    told = {
        "name": "Shown web server",
        "state": "in production",
        "url": "https://cmdb.example/ci/shown-1",
        "attributes": {"Site": "Valence", "Rack": "B 12"},
    }
    url, headers = f"{desk.api_url}/v1/records/{record}", desk.bearer("manager")
    put = answered(lambda: httpx.put(url, json=told, headers=headers, timeout=SECONDS))
    assert put.is_success, put.text
    commanded(desk, f"/{ref}/link", relation="record", target=record)
    return id_
