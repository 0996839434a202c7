"""Somebody whose rights are limited finds nothing of the others, at no address.

In no list, number, table or stream, nor in the answer to a command.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, get_args

import httpx
import pytest
from fastapi.routing import APIRoute

from services.projections.api.commands.routes import COMMANDS
from services.projections.api.session_cookie import COOKIE
from services.projections.web.csrf import token_for
from services.projections.web.endpoints import OPEN_PAGES, PAGES
from services.projections.web.incident.actions import ACTIONS
from shared.domain.commands.sla import ProposeExtension
from tests.attacks.addresses import (
    FOR_EVERYBODY,
    OF_A_CLIENT,
    QUERIES,
    REFUSED,
    SHOWN,
    named,
)
from tests.attacks.conftest import LIMITED, RELEASE, SECRET, Sides, acted
from tests.support.patience import BUSY, SECONDS, answered, until
from tests.support.servers.sse import events, listening

pytestmark = pytest.mark.servers

DIRECTORY = re.compile(r"/v1/(search|callers|clients|people(/{person})?)|/person/.*")
WHO_LOOKS_UP = ("service agent", "team agent")
"""Limits to clients limit the directory; others do not: anybody may call."""
BETWEEN_US = "Between us"
"""The first words of what agents write for each other."""
ELSEWHERE = (
    "/v1/answers",
    "/v1/bundle-links",
    "/v1/calendars",
    "/v1/letters",
    "/v1/month-report-links",
    "/v1/oncall",
    "/v1/page-links",
    "/v1/page-test-links",
    "/v1/parked",
    "/v1/people",
    "/v1/quarantine",
    "/v1/sla",
    "/v1/survey-links",
    "/v1/user-pages",
)
"""What is about no record of a client: by link, or for people without limits."""


def _paths(sides: Sides, method: str) -> list[str]:
    answer = sides.call("GET", "/openapi.json", "agent").json()
    return sorted(path for path, verbs in answer["paths"].items() if method in verbs)


def test_every_address_that_is_read_has_a_decision_about_limits(sides: Sides) -> None:
    decided = SHOWN | REFUSED | FOR_EVERYBODY

    assert set(_paths(sides, "get")) == decided


@pytest.mark.parametrize("who", [who for who in LIMITED if who != "client auditor"])
def test_no_address_shows_anything_of_the_others(sides: Sides, who: str) -> None:
    shown = OF_A_CLIENT if who == "somebody of the client" else SHOWN
    for path, accept in _forms(sides):
        given = {**QUERIES.get(path, {}), "min_position": sides.last}
        answer = sides.call(
            "GET", named(sides, path), who, params=given, headers={"Accept": accept}
        )
        assert answer.status_code in {200, 403, 404, 422}, (path, answer.text)
        assert path in shown or answer.status_code in {403, 422}, (path, answer.text)
        if answer.status_code == 200 and not _is_looked_up(path, who):
            assert not sides.hidden.search(answer.text), (path, answer.text)


def _is_looked_up(path: str, who: str) -> bool:
    return who in WHO_LOOKS_UP and DIRECTORY.fullmatch(path) is not None


def _forms(sides: Sides) -> list[tuple[str, str]]:
    """Return each address with each form of its answer, but for the stream."""
    described = sides.call("GET", "/openapi.json", "agent").json()["paths"]
    return [
        (path, form)
        for path in sorted(SHOWN | REFUSED)
        for form in described[path]["get"]["responses"]["200"]["content"]
        if form != "text/event-stream"
    ]


@pytest.mark.parametrize("who", ["client agent", "client admin", "client auditor"])
def test_what_is_outside_is_answered_like_what_does_not_exist(
    sides: Sides, who: str
) -> None:
    for tail in ("", "/sla", "/sla/explain", "/timeline"):
        there = sides.call("GET", f"/v1/incidents/{sides.other}{tail}", who)
        nowhere = sides.call("GET", f"/v1/incidents/INC-999999{tail}", who)

        assert there.status_code == nowhere.status_code == 404
        assert there.json() == _about(nowhere.json(), "INC-999999", sides.other)


def _about(answer: dict[str, Any], old: str, new: str) -> dict[str, Any]:
    return {
        key: value.replace(old, new) if isinstance(value, str) else value
        for key, value in answer.items()
    }


def test_what_is_within_is_shown_and_counted(sides: Sides) -> None:
    for who in LIMITED:
        seen = sides.call("GET", f"/v1/incidents/{sides.own}", who)
        queues = sides.call("GET", "/v1/queues", who).json()["items"]
        page = sides.call("GET", "/v1/queues/all/incidents", who).json()

        assert seen.json()["title"] == "A printer", (who, seen.text)
        assert len(seen.json()["links"]) == int(who != "somebody of the client")
        assert [row["ref"] for row in page["items"]] == [sides.own]
        assert page["counts"]["open"] == 1
        assert next(q for q in queues if q["queue"] == "all")["counts"]["open"] == 1


def test_somebody_of_a_client_sees_nothing_that_is_the_desks_own(sides: Sides) -> None:
    path = f"/v1/incidents/{sides.own}"
    seen = sides.call("GET", path, "somebody of the client").json()

    assert (seen["olas"], seen["assignee"], seen["handover"]) == ([], None, None)
    assert sides.call("GET", f"{path}/timeline", "somebody of the client").is_error


def test_somebody_of_a_client_reads_no_word_that_agents_wrote_for_each_other(
    sides: Sides,
) -> None:
    client, path = "somebody of the client", f"/v1/incidents/{sides.own}"
    sides.command(f"{path}/note", {"note": f"{BETWEEN_US}: their fault"})
    later = {"for": "700h", "note": f"{BETWEEN_US}: ask again"}
    last = sides.command(f"{path}/remind", later)["positions"][-1]
    own, asked = replace(sides, other=sides.own), {"min_position": last}
    pages = [_page_of(each, *_theirs(own)) for each in _pages("GET")]
    cookie = {"Cookie": f"{COOKIE}={sides.desk.tokens[client]}"}

    answers = [
        sides.call(
            "GET",
            named(own, each),
            client,
            params={**QUERIES.get(each, {}), **asked},
            headers={"Accept": form},
        )
        for each, form in _forms(sides)
    ] + [sides.call("GET", page, client, headers=cookie) for page in pages]

    assert sides.call("GET", "/v1/stream", client).status_code == 403
    assert BETWEEN_US in sides.call("GET", f"{path}/timeline", "client agent").text
    for answer in answers:
        assert BETWEEN_US not in answer.text, answer.url
    read = {each.url.path for each in answers if each.status_code == 200}
    assert {path, "/v1/queues/all/incidents"} <= read


@pytest.mark.parametrize("who", ["client agent", "service agent"])
def test_no_command_reaches_a_record_of_the_others(sides: Sides, who: str) -> None:
    for path in _paths(sides, "post"):
        if "{" not in path or path.startswith(ELSEWHERE):
            continue
        answer = sides.call("POST", named(sides, path), who, json=_body(sides, path))

        assert answer.status_code in {403, 404}, (path, answer.text)
        assert not re.search(SECRET, answer.text)
    assert not acted(sides, who)


def _body(sides: Sides, path: str) -> dict[str, Any]:
    """Return a body that the command accepts."""
    kinds = {route.path: route.body for route in COMMANDS}
    kind = kinds.get(path, ProposeExtension)
    if path.endswith("link") and not path.startswith("/v1/incidents"):
        return {"incident": sides.own}
    if path.endswith("/pages/why"):
        return {"person": "ours-user", "reason": "words"}
    if path.endswith("/attach"):
        return {"person": "ours-user", "channel": "phone"}
    given = {
        "attachment": "0" * 8 + "-0000-4000-8000-" + "0" * 12,
        "into": sides.own,
        "planned_for": "2030-01-01T00:00:00Z",
        "new_due_at": "2030-01-01T00:00:00Z",
        "problem": sides.problem,
        "target": sides.own,
        "team": "desk",
        "from": "2025-05-01",
        "to": "2025-06-01",
        "due": "2030-01-01",
        "owner": "ours-user",
        "left_out": [],
    }
    required = {
        field.alias or name: field
        for name, field in kind.model_fields.items()
        if field.is_required() and f"{{{name}}}" not in path
    }
    return {
        name: given.get(name, next(iter(get_args(field.annotation)), "words"))
        for name, field in required.items()
    } | ({"for": "1h"} if path.endswith(("/snooze", "/remind")) else {})


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("merge", {"into": "{other}"}),
        ("link", {"relation": "related", "target": "{other}"}),
        ("link", {"relation": "problem", "target": "{problem}"}),
        ("resolve", {"note": "Done", "solution": "{other}"}),
        ("classify", {"client": "theirs"}),
    ],
)
def test_no_command_on_ones_own_names_a_record_of_the_others(
    sides: Sides, verb: str, body: Mapping[str, str]
) -> None:
    named = {
        k: v.format(other=sides.other, problem=sides.problem) for k, v in body.items()
    }
    answer = sides.call(
        "POST", f"/v1/incidents/{sides.own}/{verb}", "client agent", json=named
    )

    assert answer.status_code in {403, 422}, answer.text
    assert answer.json()["code"] in {"limits", "unknown_target"}
    assert not acted(sides, "client agent")


def test_a_record_is_opened_within_the_limits_only(sides: Sides) -> None:
    body = {"title": "Another", "service": "web", "client": "theirs"}

    outside = sides.call("POST", "/v1/incidents", "client agent", json=body)
    nobodys = sides.call(
        "POST", "/v1/incidents", "client agent", json={"title": "Another"}
    )

    assert outside.json()["code"] == nobodys.json()["code"] == "limits"


def test_the_stream_tells_of_what_is_within_and_of_a_move_what_follows(
    sides: Sides,
) -> None:
    url = f"{sides.desk.api_url}/v1/stream"
    about = f"/v1/incidents/{sides.other}"
    with listening(url, sides.desk.bearer("team agent"), after=0) as said:
        first = events(said, 1)[0]
        assert first.data is not None
        assert first.data["incident"] == sides.own
        sides.command(f"{about}/assign", {"team": "field"})
        heard = (block.data for block in said if block.data)
        assert next(each for each in heard if each["incident"] == sides.other)
    assert sides.call("GET", about, "team agent").status_code == 200
    sides.command(f"{about}/assign", {"team": "desk", "reason": "A mistake"})
    assert sides.call("GET", about, "team agent").status_code == 404
    until(
        lambda: (
            sides.call("GET", "/v1/load", "team agent").json()["items"][0]["open"] == 1
        ),
        "the load counts what the team has",
    )


PAGES_FOR_EVERYBODY = {
    "/answer/{token}",
    "/month-report/{token}",
    "/my/{token}",
    "/page-test/{token}",
    "/sign-in",
    "/sign-in/link/{link}",
    "/sign-in/mail",
    "/sign-in/provider",
    "/sign-in/provider/back",
    "/sign-out",
    "/signed-out",
    "/survey/{token}",
    "/take/{token}",
    "/take-all/{token}",
}
"""Pages that need no session."""


def _pages(method: str) -> list[str]:
    return [
        each.path
        for each in PAGES
        if isinstance(each, APIRoute) and method in (each.methods or ())
    ]


NOWHERE = ("INC-999999", "PRB-999999", "CHG-999999", "nobody-there")


_VERBS = (
    ("/person", "grant"),
    ("/me/", "verify"),
    ("/on-call/{schedule}/swaps", "accept"),
    ("/on-call", "add_override"),
    ("/surveys", "publish_survey"),
    ("/month-reports", "publish_month_report"),
    ("/incidents/{ref}/review", "submit"),
    ("/quarantine", "discard"),
    ("/parked", "retry"),
    ("/handovers", "decline"),
    ("/", "acknowledge"),
)
"""What a form does, by the beginning of its address."""


def _page_of(path: str, incident: str, problem: str, change: str, person: str) -> str:
    """Return a page's address; one with another parameter needs a decision here."""
    refs = {"problems": problem, "changes": change}
    file, id_ = "0" * 8 + "-0000-4000-8000-" + "0" * 12, "0" * 12
    given = {
        "ref": refs.get(path.split("/")[1], incident),
        "person": person,
        "attachment": file,
        "verb": next(verb for start, verb in _VERBS if path.startswith(start)),
        **dict.fromkeys(("session", "token", "invitation", "feed"), id_),
        "schedule": "nowhere",
        "kind": "override",
        "change": "nowhere.1",
        "type": "release",
        "id": RELEASE,
        "method": "mail",
        "survey": "nowhere",
        "position": "1",
        "element": "1",
        "source": "nowhere",
        "window": "MNT-999999",
        "version": "1",
        "reader": "queue",
        "stream": f"incident-{incident}",
        "client": "nowhere",
        "month": "2025-06",
    }
    return f"{path.format(**given)}?q=printer"


def _theirs(sides: Sides) -> tuple[str, str, str, str]:
    return (sides.other, sides.problem, sides.change, "theirs-user")


@pytest.fixture(params=[*LIMITED, None], ids=str)
def visitor(sides: Sides, request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    """Return a browser of each of the limited people, and of a stranger."""
    base = sides.desk.api_url
    with httpx.Client(base_url=base, timeout=SECONDS, follow_redirects=False) as client:
        if request.param is not None:
            form = {"token": sides.desk.tokens[request.param]}
            signed_in = answered(lambda: client.post("/sign-in", data=form), BUSY)
            assert signed_in.status_code == 303
            client.headers["X-Who"] = request.param
        yield client


def _session(client: httpx.Client) -> str:
    return client.cookies.get("permanence") or ""


def test_every_page_needs_a_session_or_a_decision() -> None:
    paths = {each.path for each in OPEN_PAGES if isinstance(each, APIRoute)}

    assert paths == PAGES_FOR_EVERYBODY


def test_no_page_shows_anything_of_the_others(
    sides: Sides, visitor: httpx.Client
) -> None:
    refused = {401} if not _session(visitor) else {200, 401, 403, 404}
    who = visitor.headers.get("X-Who", "")
    for path in (each for each in _pages("GET") if not _is_looked_up(each, who)):
        there, nowhere = (
            answered(partial(visitor.get, _page_of(path, *refs)), BUSY)
            for refs in (_theirs(sides), NOWHERE)
        )
        assert there.status_code in refused, (path, there.text)
        told = there.text
        for ref, none in zip(_theirs(sides), NOWHERE, strict=True):
            told = told.replace(ref, none)
        assert not sides.hidden.search(told), (path, told)
        if "{ref}" in path or "{person}" in path:
            assert there.status_code != 200, path
            assert (there.status_code, told) == (nowhere.status_code, nowhere.text)


def test_no_form_reaches_a_record_of_the_others(
    sides: Sides, visitor: httpx.Client
) -> None:
    form = {
        "csrf": token_for(_session(visitor)),
        "ref": sides.other,
        "refs": sides.other,
        "changes": f"{sides.other}:1",
        "verb": "acknowledge",
        "step": "preview",
        "incident": sides.other,
        "person": "theirs-user",
        "words": "words",
        "channel": "phone",
    }
    named = {each.name: "words" for action in ACTIONS for each in action.fields}
    who = visitor.headers.get("X-Who", "")
    for path in (each for each in _pages("POST") if not _is_looked_up(each, who)):
        place = _page_of(path, *_theirs(sides))
        answer = answered(partial(visitor.post, place, data=named | form), BUSY)

        about = (path, answer.text)
        assert answer.status_code in {200, 303, 400, 401, 403, 404, 422}, about
        assert re.search(SECRET, answer.text) is None, about
    assert not acted(sides, *LIMITED)


def test_no_form_of_another_site_acts_on_ones_own(
    sides: Sides, visitor: httpx.Client
) -> None:
    form = {"ref": sides.own, "refs": sides.own, "verb": "acknowledge"}
    wrong = ("", "f" * 64, token_for("pms_of_somebody_else"))
    first = [*LIMITED, ""].index(visitor.headers.get("X-Who", ""))
    for n, path in enumerate(_pages("POST"), start=first):
        place = _page_of(path, sides.own, *_theirs(sides)[1:3], "ours-user")
        csrf = wrong[n % len(wrong)]  # seven visitors try each of them on each form
        forged = form | {"csrf": csrf}
        answer = answered(partial(visitor.post, place, data=forged), BUSY)

        is_named = path.startswith(("/person", "/on-call", "/month-reports"))
        kept_out = {400, 401, 403} | ({404} if is_named else set())
        assert answer.status_code in kept_out, (path, answer.text)
    assert not acted(sides, *LIMITED)
