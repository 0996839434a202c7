"""Nobody reads personal words unrecorded, and nobody but an auditor sees who read."""

import re
import socket
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from services.projections.reads.addresses import WITHOUT_WORDS, WORDS
from shared.domain.limits import EVERYTHING
from shared.messaging.commands import Scope
from shared.security.access import create
from tests.attacks.addresses import FOR_EVERYBODY, QUERIES, REFUSED, SHOWN, named
from tests.attacks.conftest import SECRET, Sides
from tests.support.patience import SECONDS, awaited, until

pytestmark = pytest.mark.servers

_SOURCE = Path(__file__).parents[3]
_SQL = re.compile(r"\b(FROM|INTO|JOIN|SELECT|TABLE|UPDATE)\s+reads\.")
TRICKS = (
    {"Range": "bytes=0-10"},
    {"If-None-Match": "*"},
    {"If-None-Match": '"1"', "If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"},
    {"X-HTTP-Method-Override": "HEAD", "X-Forwarded-Method": "OPTIONS"},
    {"X-Original-URL": "/health/live", "X-Rewrite-URL": "/health/live"},
    {"Accept": "text/html", "Purpose": "prefetch", "DNT": "1"},
    {"Connection": "close, X-Actor", "X-Actor": "person:somebody-else"},
    {"Expect": "100-continue", "TE": "trailers"},
)


def _reader(sides: Sides, who: str, *scopes: Scope) -> str:
    """Let somebody call who has read nothing yet; return their actor."""
    log = sides.desk.log()
    with log.transaction() as cursor:
        now = log.head().recorded_at
        made = create(cursor, now, f"person:{who}", scopes, limits=EVERYTHING)
    log.close()
    sides.desk.tokens[who] = made.token
    return f"person:{who}"


def _rows(sides: Sides) -> set[tuple[str, str]]:
    """Return who read which record, or what they requested."""
    with psycopg.connect(sides.desk.database.owner_dsn) as owner:
        return set(
            owner.execute(
                "SELECT reader, record FROM reads.windows "
                "UNION SELECT reader, served FROM reads.requests"
            ).fetchall()
        )


def _until_noted(sides: Sides, expected: set[tuple[str, str]]) -> None:
    until(
        lambda: expected <= _rows(sides), lambda: str(sorted(expected - _rows(sides)))
    )


def test_every_address_that_is_read_has_a_decision_about_reads() -> None:
    assert WORDS.keys() | WITHOUT_WORDS == SHOWN | REFUSED | FOR_EVERYBODY


def test_no_address_serves_words_without_a_row(sides: Sides) -> None:
    described = sides.call("GET", "/openapi.json", "manager").json()["paths"]
    served: dict[str, str] = {}
    for path in sorted((SHOWN | REFUSED) - {"/v1/stream"}):
        for form in described[path]["get"]["responses"]["200"]["content"]:
            number = len(served)
            actor = _reader(sides, f"reader-{number}", "manager", "auditor", "admin")
            given = {**QUERIES.get(path, {}), "min_position": sides.last}
            answer = sides.call(
                "GET",
                named(sides, path),
                f"reader-{number}",
                params=given,
                headers={"Accept": form},
            )
            assert answer.status_code != 503, (path, answer.text)
            has_words = SECRET in answer.text and answer.status_code == 200
            served[actor] = path if has_words else ""
            if path in WITHOUT_WORDS and path not in DIRECTORY:
                assert not has_words, (path, answer.text)

    expected = {actor for actor, path in served.items() if path not in {"", *DIRECTORY}}
    assert len(expected) > 20, served
    until(
        lambda: expected <= {actor for actor, _ in _rows(sides)},
        lambda: str([served[a] for a in expected - {a for a, _ in _rows(sides)}]),
    )


DIRECTORY = frozenset({"/v1/callers", "/v1/people", "/v1/incidents/{ref}/recipients"})
"""The names of people are no words about incidents, and not recorded."""


@pytest.mark.parametrize("number", range(len(TRICKS)))
def test_no_header_reads_unrecorded(sides: Sides, number: int) -> None:
    actor = _reader(sides, f"trickster-{number}", "agent")
    path, who = f"/v1/incidents/{sides.other}", f"trickster-{number}"
    answers = [
        sides.call("GET", each, who, headers=TRICKS[number])
        for each in (path, f"{path}/timeline", "/v1/search?q=zanzibar")
    ]

    assert {each.status_code for each in answers} <= {200, 206, 304}
    _until_noted(sides, {(actor, sides.other), (actor, "search")})


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "TRACE", "PROPFIND"])
def test_no_other_method_reads(sides: Sides, method: str) -> None:
    path = f"/v1/incidents/{sides.other}"
    answer = sides.call(method, path, "manager")

    assert answer.status_code in {404, 405, 501}
    assert SECRET not in answer.text + str(answer.headers)


def test_pipelined_requests_are_recorded_one_by_one(sides: Sides) -> None:
    """Also those of somebody who does not wait for the answers."""
    actor = _reader(sides, "hasty", "agent")
    sides.desk.until_applied()
    place = urlsplit(sides.desk.api_url)
    bearer = sides.desk.bearer("hasty")["Authorization"]
    head = f"Host: {place.netloc}\r\nAuthorization: {bearer}\r\n"
    sent = "".join(
        f"GET /v1/incidents/{ref} HTTP/1.1\r\n{head}{last}\r\n"
        for ref, last in (
            (sides.other, ""),
            (sides.own, ""),
            (sides.noted, "Connection: close\r\n"),
        )
    )
    assert place.hostname is not None

    def told() -> bytes:
        with socket.create_connection((place.hostname, place.port), SECONDS) as line:
            line.sendall(sent.encode())
            return b"".join(iter(lambda: line.recv(65_536), b""))

    answers = awaited(told, lambda said: b"HTTP/1.1 503" not in said, "all are decided")
    assert answers.count(b"HTTP/1.1 200") == 3
    _until_noted(sides, {(actor, ref) for ref in (sides.own, sides.other, sides.noted)})


@pytest.mark.parametrize("scopes", [("agent",), ("manager",), ("admin", "manager")])
def test_nobody_but_an_auditor_asks_who_read(
    sides: Sides, scopes: tuple[Scope, ...]
) -> None:
    who = f"curious-{'-'.join(scopes)}"
    actor = _reader(sides, who, *scopes)
    body = {"record": sides.other, "reason": "I am curious"}

    refused = sides.call("POST", "/v1/audit/reads", who, json=body)
    shown = sides.call("GET", f"/v1/incidents/{sides.other}", who)

    assert refused.status_code == 403
    assert "person:" not in refused.text
    assert "reader-" not in shown.text
    assert (actor, "question") not in _rows(sides)


def test_an_auditor_with_limits_does_not_ask_either(sides: Sides) -> None:
    body = {"record": sides.own, "reason": "A complaint"}

    refused = sides.call("POST", "/v1/audit/reads", "client auditor", json=body)

    assert (refused.status_code, refused.json()["code"]) == (403, "limits")


def test_only_the_answer_to_auditors_reads_the_tables() -> None:
    """No metric, no list for colleagues, no page that says who looks at it now."""
    found = {
        str(file.relative_to(_SOURCE))
        for folder in ("services", "shared", "cli", "standalone", "demo")
        for file in (_SOURCE / folder).rglob("*.py")
        if _SQL.search(file.read_text(encoding="utf-8"))
    }

    assert found == {
        "services/projections/reads/store.py",
        "shared/reads.py",
    }
    mentions = "from services.projections.reads.store import"
    importers = [
        str(file.relative_to(_SOURCE))
        for file in (_SOURCE / "services").rglob("*.py")
        if mentions in file.read_text(encoding="utf-8")
    ]
    assert importers == ["services/projections/api/reads/endpoints.py"]
