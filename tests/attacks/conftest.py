"""A desk with records of two clients, for whoever must not see those of the other."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from shared.domain.limits import Limits
from shared.messaging.commands import Scope
from shared.security.access import create
from tests.support.desks.running import POLICY, Desk, Setting, running_desk
from tests.support.folders import reachable_folder
from tests.support.patience import BUSY, SECONDS, answered

CONTRACTS = """contracts:
  theirs:
    {client: theirs, from: 2025-01-01, services: [mail], calendar: always,
     targets: standard}
"""
TEAM = """teams:
  field: {level: n2, members: [amina], manager: manager}
"""
SECRET = "Zanzibar"
"""A word in every text of the other side."""
PEOPLE = "id,name,client\nours-user,Odette Ours,ours\ntheirs-user,Zanzibar Z,theirs\n"
OF_OURS = Limits(clients=frozenset(["ours"]))
LIMITED: Mapping[str, tuple[list[Scope], Limits]] = {
    "client agent": (["agent", "manager"], OF_OURS),
    "service agent": (["agent"], Limits(services=frozenset(["web"]))),
    "team agent": (["agent"], Limits(teams=frozenset(["field"]))),
    "client auditor": (["auditor"], OF_OURS),
    "client admin": (["admin"], OF_OURS),
    "somebody of the client": (["client"], OF_OURS),
}

RELEASE = "4.2"
"""The id of a release to which incidents of both sides are linked."""


@dataclass(frozen=True)
class Sides:
    """A desk with records of two clients, and what may not be seen of the others."""

    desk: Desk
    own: str
    other: str
    noted: str
    problem: str
    change: str
    last: int

    @property
    def hidden(self) -> re.Pattern[str]:
        return re.compile(
            rf"{SECRET}|zanzibar|theirs|{self.other}|{self.noted}|{self.problem}|{self.change}"
        )

    def call(self, method: str, path: str, who: str, **given: Any) -> httpx.Response:
        """Send a request; a GET once the read models have applied the log."""
        if method == "GET":
            self.desk.until_applied()
        headers = self.desk.bearer(who) | given.pop("headers", {})
        if method != "GET":
            headers = {"Idempotency-Key": uuid4().hex} | headers
        url = f"{self.desk.api_url}{path}"
        return answered(
            lambda: httpx.request(
                method, url, headers=headers, timeout=SECONDS, **given
            ),
            BUSY,
        )

    def command(self, path: str, body: Mapping[str, Any], who: str = "manager") -> Any:
        answer = self.call("POST", path, who, json=body)
        assert answer.is_success, answer.text
        return answer.json()


@pytest.fixture(scope="module")
def sides() -> Iterator[Sides]:
    with reachable_folder() as folder:
        yield from _sides(folder)


def _sides(folder: Path) -> Iterator[Sides]:
    policy = folder / "policy.yaml"
    written = POLICY.read_text(encoding="utf-8")
    written = written.replace("services: [web, mail]", "services: [web]")
    written = written.replace("contracts:\n", CONTRACTS)
    written = written.replace("teams:\n", TEAM)
    policy.write_text(written, encoding="utf-8")
    with running_desk(folder, setting=Setting(policy)) as desk:
        _give_limited_tokens(desk)
        yield _with_records(desk)


def _give_limited_tokens(desk: Desk) -> None:
    log = desk.log()
    with log.transaction() as cursor:
        for who, (scopes, limits) in LIMITED.items():
            actor = f"person:{who.replace(' ', '-')}"
            made = create(cursor, log.head().recorded_at, actor, scopes, limits=limits)
            desk.tokens[who] = made.token
    log.close()


def _with_records(desk: Desk) -> Sides:
    empty = Sides(desk, "", "", "", "", "", 0)
    empty.command("/v1/people/import", {"text": PEOPLE}, "admin")
    own = _incident(empty, "ours", "web", "A printer")
    other = _incident(empty, "theirs", "mail", f"{SECRET} printer")
    about = f"/v1/incidents/{other}"
    problem = empty.command(
        "/v1/problems", {"title": f"{SECRET} cause", "incident": other}
    )["record"]
    change = empty.command(
        "/v1/changes", {"title": f"{SECRET} repair", "problem": problem}
    )["record"]
    due = (datetime.now(UTC) + timedelta(days=60)).isoformat()
    extension = {"new_due_at": due, "reason": f"{SECRET} part"}
    empty.command(f"{about}/extensions", extension)
    noted = _incident(empty, "theirs", "mail", f"{SECRET} scanner")
    for verb in ("restore", "resolve", "solution"):
        body = {"note": f"Restart {SECRET}"}
        empty.command(f"/v1/incidents/{noted}/{verb}", body)
    empty.command(f"/v1/incidents/{own}/assign", {"team": "field"})
    _link_release(empty, own, other)
    last = empty.command(
        f"/v1/incidents/{own}/link", {"relation": "related", "target": other}
    )["positions"][-1]
    return Sides(desk, own, other, noted, problem, change, last)


def _link_release(sides: Sides, *incidents: str) -> None:
    """Link incidents of both sides to a record of another system."""
    path = f"/v1/records/release/{RELEASE}"
    assert sides.call("PUT", path, "manager", json={"name": "Release 4"}).is_success
    link = {"relation": "record", "target": f"release/{RELEASE}"}
    for ref in incidents:
        sides.command(f"/v1/incidents/{ref}/link", link)


def _incident(sides: Sides, client: str, service: str, title: str) -> str:
    body = {
        "title": title,
        "client": client,
        "service": service,
        "reporter": f"{client}-user",
        "channel": "phone",
        "description": f"{title} is broken",
        "urgency": "high",
    }
    return str(sides.command("/v1/incidents", body)["incident"])


def acted(sides: Sides, *whos: str) -> bool:
    """Return whether one of these caused an event."""
    log, actors = sides.desk.log(), {f"person:{who.replace(' ', '-')}" for who in whos}
    found = any(entry.event.by in actors for entry in log.since(0, 1_000))
    log.close()
    return found
