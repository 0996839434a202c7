"""Links: titles, pages of problems and changes, and the parts of a timeline."""

import re
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from services.projections.api.session_cookie import COOKIE
from shared.domain import events
from shared.domain.limits import Limits
from shared.security.access import create
from tests.support.desks.api import Api, problem
from tests.support.patience import answered
from tests.support.strategies.histories import START, opened

pytestmark = pytest.mark.servers

_REF, _OTHER, _PROBLEM, _CHANGE = "INC-000001", "INC-000002", "PRB-000001", "CHG-000001"
_BY = {"at": START, "by": "person:paul", "whose": "person:paul", "policy": 1}
_KNOWN = {"service": "print", "team": "n2"}


@pytest.fixture(scope="module")
def desk(shared_api: Api) -> Api:
    log, linked = shared_api.log, {**_BY, "incident": _REF}
    log.record(
        f"problem-{_PROBLEM}",
        0,
        [
            events.ProblemIdentified(
                **_BY, **_KNOWN, problem=_PROBLEM, title="Old driver", origin="staff"
            ),
            events.ProblemWorkaroundPublished(
                **_BY, problem=_PROBLEM, workaround="Print from the browser"
            ),
            events.ProblemIncidentLinked(**_BY, problem=_PROBLEM, incident=_REF),
            events.ProblemIncidentLinked(**_BY, problem=_PROBLEM, incident=_OTHER),
        ],
    )
    log.record(
        f"change-{_CHANGE}",
        0,
        [
            events.ChangeRequested(
                **_BY, **_KNOWN, change=_CHANGE, title="New driver", problem=_PROBLEM
            )
        ],
    )
    position = shared_api.happened(
        opened(_REF, title="Printer", client="mairie"),
        opened(_OTHER, title="Tray", client="ville"),
        *(
            events.IncidentLinked(**linked, relation=relation, target=target)
            for relation, target in (
                ("problem", _PROBLEM),
                ("change", _CHANGE),
                ("related", _OTHER),
                ("related", "JIRA-17"),
            )
        ),
        events.IncidentNoted(**linked, note="Tray two squeaks"),
        *(
            events.IncidentAssigned(**linked, team=team, cause="person")
            for team in ("n2", "n1", "n2")
        ),
    )
    shared_api.get(f"/v1/incidents/{_REF}/timeline", min_position=position)
    shared_api.get("/v1/queues", min_position=position)
    return shared_api


def _look(api: Api, path: str, who: str = "agent") -> httpx.Response:
    cookie = {"Cookie": f"{COOKIE}={api.tokens[who]}", "Accept-Language": "fr"}
    return answered(lambda: api.call("GET", path, who=None, headers=cookie))


def test_links_have_the_titles_and_states_of_their_records(desk: Api) -> None:
    links = desk.get(f"/v1/incidents/{_REF}")["links"]

    assert [(each["target"], each["title"], each["status"]) for each in links] == [
        (_CHANGE, "New driver", "requested"),
        (_PROBLEM, "Old driver", "open"),
        (_OTHER, "Tray", "new"),
        ("JIRA-17", None, None),
    ]


@pytest.mark.parametrize(("who", "may"), [("agent", True), ("auditor", False)])
def test_each_link_leads_to_its_record_and_can_be_removed(
    desk: Api, who: str, *, may: bool
) -> None:
    shown = _look(desk, f"/incidents/{_REF}", who).text

    for place in (f"problems/{_PROBLEM}", f"changes/{_CHANGE}", f"incidents/{_OTHER}"):
        assert f'<a href="/{place}">' in shown
    assert shown.count("actions/unlink") == (8 if may else 0)  # with and without script
    keys = re.findall(r'name="key" value="([^"]+-\d)"', shown)
    assert len({*keys}) == (4 if may else 0)


def test_a_problem_and_a_change_have_pages_with_their_incidents(desk: Api) -> None:
    shown = _look(desk, f"/problems/{_PROBLEM}").text
    change = _look(desk, f"/changes/{_CHANGE}", "auditor").text

    for words in ("Old driver", "Print from the browser", f"/incidents/{_REF}"):
        assert words in shown
    assert "mairie" in shown
    assert "ville" in shown
    for words in ("New driver", f'<a href="/problems/{_PROBLEM}">', "demandé"):
        assert words in change
    for wrong in ("/problems/PRB-000099", "/changes/CHG-000099"):
        assert _look(desk, wrong).status_code == 404
    assert _look(desk, "/problems/x").status_code == 422


def test_the_finder_leads_to_problems_and_changes(desk: Api) -> None:
    found = _look(desk, "/find?q=driver").text

    assert f'href="/problems/{_PROBLEM}"' in found
    assert f'href="/changes/{_CHANGE}"' in found


def test_a_timeline_is_limited_on_all_its_pages(desk: Api) -> None:
    path = f"/v1/incidents/{_REF}/timeline"

    def kinds(**asked: Any) -> list[str]:
        return [each["kind"] for each in desk.get(path, **asked)["items"]]

    assert kinds(show="notes", limit=1, order="newest") == ["incident.noted"]
    assert kinds(show="messages") == []
    first = desk.get(path, show="decisions", limit=2, order="newest")
    rest = kinds(show="decisions", order="newest", before=first["next_before"])
    assert len(rest) == len(kinds(show="decisions")) - 2 > 0
    assert "incident.noted" not in {*rest, *kinds(show="decisions")}
    assert desk.call("GET", path, params={"show": "gossip"}).status_code == 422
    page = _look(desk, f"/incidents/{_REF}?show=notes").text
    assert page.count("data-version=") == 1


@pytest.mark.parametrize(
    ("limits", "clients"),
    [
        (Limits(teams=frozenset({"n2"})), ["mairie"]),
        (Limits(services=frozenset({"print"})), []),
        (Limits(clients=frozenset({"mairie"})), None),
    ],
)
def test_a_problem_shows_the_clients_of_incidents_that_its_reader_may_see(
    desk: Api, limits: Limits, clients: list[str] | None
) -> None:
    # A problem is of a service and a team, and of no client. Its incidents are of
    # another service here.
    with desk.log.transaction() as cursor:
        now = datetime.now(UTC)
        made = create(cursor, now, "person:lea", ["agent"], limits=limits)
    headers = {"Authorization": f"Bearer {made.token}"}
    path = f"/v1/problems/{_PROBLEM}"

    answer = desk.call("GET", f"{path}/incidents", None, headers=headers)

    if clients is None:
        problem(answer, 404)
        problem(desk.call("GET", path, None, headers=headers), 404)
    else:
        assert [each["client"] for each in answer.json()["items"]] == clients
