"""The records that the screens show, each brought about as users would."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import httpx

from shared.domain.limits import Limits
from shared.security.access import create
from shared.security.signed_links import PURPOSE, AnswerLink, token_of
from tests.e2e.browser.paging import paged
from tests.e2e.browser.shown.commands import (
    AHEAD,
    announced,
    commanded,
    delayed,
    handed_over,
    linked_record,
    month_report_of,
    page_test_of,
    parked,
    quarantined,
    reviewed,
    signalled,
    survey_about,
    until_shown,
)
from tests.support.builders.user_links import link_to
from tests.support.desks.running import Desk
from tests.support.patience import SECONDS, answered


def places(desk: Desk) -> Mapping[str, str]:
    """Bring about what the screens show, and return the variable parts of addresses."""
    found = {
        status: _opened(desk, f"Shown {status}", commands)
        for status, commands in _COMMANDS.items()
    }
    commanded(desk, f"/{found['merged']}/merge", into=found["acknowledged"])
    (found["new"],) = signalled(desk, _ALERT)
    found |= _records(desk)
    found |= {"swap": _swap(desk), "reviewed": reviewed(desk), **_surveys(desk)}
    _invite(desk)
    _ask_about_pages(desk, found["acknowledged"])
    found["record"] = linked_record(desk, found["acknowledged"])
    ref, extension = delayed(desk)
    until = datetime.now(UTC) + timedelta(days=1)
    found["page"] = paged(desk, "Needs an expert")
    found["declined"] = _declined(desk, paged(desk, "Declined by its expert"))
    found |= {"element": quarantined(desk), "parked": parked(desk)}
    announced(desk)
    handed_over(desk, found["problem"])
    found |= _page_tests(desk)
    found["month_report"] = month_report_of(desk, "2025-08")
    found["user"] = link_to(desk.log(), ref, "petit", until)
    log = desk.log()
    key = log.vault.key_for(PURPOSE)
    assert key is not None
    found["answer"] = token_of(key, AnswerLink(extension, "petit", until))
    log.close()
    _sign_in(desk)
    until_shown(desk)
    return found


def _sign_in(desk: Desk) -> None:
    """Give tokens to those who look at their own contact methods."""
    log, now = desk.log(), datetime.now(UTC)
    with log.transaction() as cursor:
        nobodys = Limits(clients=frozenset({"nobody"}))
        stranger = create(cursor, now, "person:olga", ["agent"], limits=nobodys)
        desk.tokens["stranger"] = stranger.token
        for name, person in (("reached", "petit"), ("tested", "costa")):
            token = create(cursor, now, f"person:{person}", ["agent"]).token
            desk.tokens[name] = token
    log.close()


def _invite(desk: Desk) -> None:
    """Invite somebody, so that there is an invitation whatever ran before."""
    body = {"name": "Gaby", "email": "gaby@shown.example", "role": "agent"}
    answer = desk.post("/v1/people/gaby.shown/invitation", body, "admin")
    assert answer.is_success, answer.text


def _ask_about_pages(desk: Desk, ref: str) -> None:
    """Ask why the agent was paged, so that somebody did whatever ran before."""
    body = {"person": "nadia", "reason": "The client asks"}
    answer = desk.post(f"/v1/incidents/{ref}/pages/why", body, "manager")
    assert answer.is_success, answer.text


def _declined(desk: Desk, token: str) -> str:
    """Return the same link once its reader has declined."""
    body = {"action": "decline", "key": "shown-page-declined"}
    url = f"{desk.api_url}/v1/page-links/{token}"
    answer = answered(lambda: httpx.post(url, json=body, timeout=SECONDS))
    assert answer.is_success, answer.text
    return token


def _surveys(desk: Desk) -> Mapping[str, str]:
    """Return the link to a survey, and to one that is answered."""
    token = survey_about(desk, "costa")
    url = f"{desk.api_url}/v1/survey-links/{token}"
    body = {"choices": {"satisfied": 5, "fast": 4}}
    answer = answered(lambda: httpx.post(url, json=body, timeout=SECONDS))
    assert answer.is_success, answer.text
    return {"survey": survey_about(desk, "petit"), "survey_answered": token}


def _page_tests(desk: Desk) -> Mapping[str, str]:
    """Return the link to a page test, and to one that is answered."""
    token = page_test_of(desk, "costa")
    url = f"{desk.api_url}/v1/page-test-links/{token}"
    answer = answered(lambda: httpx.post(url, json={}, timeout=SECONDS))
    assert answer.is_success, answer.text
    return {"page_test": page_test_of(desk, "petit"), "page_test_answered": token}


_Commands = tuple[tuple[str, Mapping[str, str]], ...]
_RESOLVE = ("resolve", {"note": "Restarted"})
_ALERT: Mapping[str, object] = {
    "title": "Shown new",
    "dedup_key": "shown-new",
    "service": "mail",
    "severity": "critical",
    "labels": {"dashboard": "https://grafana.example/d/7", "host": "mx1"},
}
_COMMANDS: Mapping[str, _Commands] = {
    "acknowledged": (("note", {"note": "The vendor is on it"}),),
    "bulk": (),
    "paused": (("pause", {"reason": "user", "question": "Since when?"}),),
    "resolved": (_RESOLVE,),
    "closed": (_RESOLVE, ("close", {})),
    "cancelled": (("cancel", {"reason": "test"}),),
    "merged": (),
}


def _opened(desk: Desk, title: str, commands: _Commands) -> str:
    ref = commanded(desk, "", title=title, service="mail", impact="low")
    for verb, body in commands:
        commanded(desk, f"/{ref}/{verb}", **body)
    return ref


def _records(desk: Desk) -> Mapping[str, str]:
    """Return a problem, and a change that is to solve it."""
    body = {"title": "Shown cause", "service": "mail"}
    problem = desk.post("/v1/problems", body, "manager")
    assert problem.is_success, problem.text
    asked = {"title": "Shown remedy", "problem": problem.json()["record"]}
    change = desk.post("/v1/changes", asked, "manager")
    assert change.is_success, change.text
    return {**asked, "change": change.json()["record"]}


def _swap(desk: Desk) -> str:
    """Return a swap that somebody without other shifts is asked for."""
    begins = datetime.now(UTC) + AHEAD
    times = {"start": begins, "end": begins + timedelta(days=1)}
    asked = {name: at.isoformat() for name, at in times.items()}
    body = {"other": "root", "role": "secondary", **asked}
    answer = desk.post("/v1/oncall/night/swaps", body, "manager")
    assert answer.is_success, answer.text
    return str(answer.json()["change"])
