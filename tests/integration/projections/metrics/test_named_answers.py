"""A named answer is for the owner of its survey: no address shows it to anybody else.

Neither do figures of a few people: surveys of clients may publish them for their owner.
"""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from services.projections.api.session_cookie import COOKIE
from shared.domain.identifiers import (
    contact_invitation,
    survey_results_stream,
    survey_stream,
)
from shared.domain.survey.privacy import NAMED_ANSWERS
from shared.security.access import create
from tests.support.builders.june_log import ONE, June, june
from tests.support.desks.api import Api
from tests.support.servers.sse import events, listening

pytestmark = pytest.mark.servers

WORDS = "Trois jours sans nouvelles"
TOLD = re.compile(rf"{WORDS}|choices\"+ *:")
BEGIN, END = "2025-05-31T22:00:00Z", "2025-06-30T22:00:00Z"
OF_JUNE = {"from": "2025-06-01", "to": "2025-07-01"}
NAMED = {
    "ref": ONE,
    "survey": "clients",
    "queue": "all",
    "person": "lefevre",
    "kind": "refusals",
    "schedule": "night",
}
"""What paths name; of anything else, the first."""


@pytest.fixture
def clients(api: Api, month: June) -> June:
    """Give a month in which a user answered, and a few clients, which was published."""
    month.opens(june(2), ONE, user="lefevre")
    about = {"survey": "voyageurs", "version": "v2", "incident": ONE}
    month.surveys(
        june(3),
        "survey.invited",
        survey_stream(ONE),
        **about,
        person="lefevre",
        policy=1,
        expires_at=june(20),
        service="billetterie",
        team="accueil",
    )
    answers(month, "survey.answered", survey_stream(ONE), **about)
    for number, choice in enumerate([5, 1], 1):
        client_answers(month, f"contact-{number}", f"client-{number}", choice)
    with api.log.transaction() as cursor:
        made = create(cursor, datetime.now(UTC), "person:ghislaine", ["agent"])
    api.tokens["owner"] = made.token
    return month


def answers(month: June, type_: str, stream: str, **about: Any) -> None:
    given = {"person": "lefevre", "choices": {"content": 2}, "comment": WORDS}
    given |= {"whose": f"person:{about.get('person', 'lefevre')}", **about}
    month.surveys(month.now + timedelta(hours=1), type_, stream, **given)


def client_answers(month: June, person: str, client: str, choice: int) -> None:
    ref = contact_invitation("clients", date(2025, 4, 1), person)
    about = {"survey": "clients", "version": "v1", "invitation": ref, "person": person}
    month.surveys(
        month.now + timedelta(hours=1),
        "survey.contact_invited",
        survey_stream(ref),
        **about,
        policy=1,
        client=client,
        expires_at=june(28),
    )
    choices = {"confiance": choice}
    stream = survey_stream(ref)
    answers(month, "survey.contact_answered", stream, **about, choices=choices)


def published(month: June, figures: dict[str, Any]) -> None:
    counted = [
        {name: each[name] for name in ("version", "question", "counts")}
        for each in figures["questions"]
    ]
    month.surveys(
        june(30, 23),
        "survey.published",
        survey_results_stream("clients"),
        by="person:ghislaine",
        survey="clients",
        policy=1,
        start=BEGIN,
        end=END,
        min_answers=1,
        results={**figures, "questions": counted},
    )


def of(api: Api, who: str, month: June) -> dict[str, Any]:
    asked = {"min_position": month.position, **OF_JUNE}
    return api.get("/v1/surveys/clients/results", who, **asked)


def shares(found: dict[str, Any]) -> list[float | None]:
    figures = found["figures"]
    return [figures["share"], *(each["share"] for each in figures["groups"])]


@pytest.mark.parametrize("who", ["manager", "auditor", "admin"])
def test_no_address_shows_a_named_answer_to_others(
    api: Api, clients: June, who: str
) -> None:
    published(clients, of(api, "owner", clients)["figures"])
    read = 0
    for path, form in forms(api):
        place = re.sub(r"\{(\w+)\}", lambda name: NAMED.get(name[1], "1"), path)
        answer = api.call("GET", place, who, {"Accept": form}, params=_of(path))
        assert not TOLD.search(answer.text), (path, form, answer.text)
        read += answer.status_code == 200
    cookie = {"Cookie": f"{COOKIE}={api.tokens[who]}"}
    for page in (f"/incidents/{ONE}", "/surveys", "/surveys/voyageurs", "/audit"):
        answer = api.call("GET", page, None, cookie, params=OF_JUNE)
        assert not TOLD.search(answer.text), (page, answer.text)
        read += answer.status_code == 200

    assert read > 30, "as it is, nothing was asked"


def forms(api: Api) -> list[tuple[str, str]]:
    """Return each address with each form of its answer, but for the stream."""
    described = api.get("/openapi.json")["paths"]
    return [
        (path, form)
        for path, verbs in sorted(described.items())
        if "get" in verbs and "content" in verbs["get"]["responses"].get("200", {})
        for form in verbs["get"]["responses"]["200"]["content"]
        if form != "text/event-stream"
    ]


def _of(path: str) -> dict[str, str]:
    return OF_JUNE if path in {"/v1/surveys/{survey}/results", "/v1/metrics"} else {}


def test_the_log_says_who_reads_what_it_leaves_out(api: Api, clients: June) -> None:
    published(clients, of(api, "owner", clients)["figures"])

    types = ",".join([*NAMED_ANSWERS, "survey.published", "survey.invited"])
    found = api.get("/v1/log", "auditor", types=types)["items"]

    assert {each["type"]: each["withheld"] for each in found} == {
        "survey.invited": [],
        "survey.answered": ["choices", "comment"],
        "survey.contact_answered": ["choices", "comment"],
        "survey.published": ["results"],
    }
    assert all(not set(each["withheld"]) & each["event"].keys() for each in found)


def test_the_stream_does_not_tell_who_answered(api: Api, clients: June) -> None:
    bearer = {"Authorization": f"Bearer {api.tokens['manager']}"}
    month = clients
    month.opens(month.now + timedelta(hours=1), "INC-000002")

    with listening(f"{api.url}/v1/stream", bearer, after=0) as said:
        heard = events(said, month.position - len(NAMED_ANSWERS) - 1)

    assert heard[-1].event == "incident.opened"
    assert not {each.event for each in heard} & set(NAMED_ANSWERS)


def test_figures_of_a_few_clients_are_for_the_owner_before_and_after_publication(
    api: Api, clients: June
) -> None:
    before = {who: of(api, who, clients) for who in ("owner", "manager")}
    published(clients, before["owner"]["figures"])
    after = {who: of(api, who, clients) for who in ("owner", "manager")}

    for seen in (before, after):
        assert shares(seen["owner"]) == [0.5, 1.0, 0.0]
        assert seen["owner"]["withheld"] == []
        assert shares(seen["manager"]) == [None, None, None]
        assert seen["manager"]["figures"]["n"] == 2
        assert seen["manager"]["withheld"] == ["comments", "figures"]
    assert after["manager"]["as_published"] is True
    (listed,) = [
        each["published"][0]["figures"]["share"]
        for each in api.get("/v1/surveys", "manager")["items"]
        if each["survey"] == "clients"
    ]
    assert listed is None
