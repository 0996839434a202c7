"""A browser goes from a queue to an incident and back: what its address takes along."""

import re
from html import unescape

import httpx
import pytest
from orjson import dumps

from services.projections.api.session_cookie import COOKIE
from shared.domain import events
from tests.support.desks.api import Api
from tests.support.patience import answered
from tests.support.strategies.histories import START, opened

pytestmark = pytest.mark.servers

_OPEN, _URGENT, _CLOSED = "INC-000001", "INC-000002", "INC-000003"


@pytest.fixture(scope="module")
def desk(shared_api: Api) -> Api:
    position = shared_api.happened(
        opened(_OPEN, title="Printer"),
        opened(_URGENT, title="Portal", priority="p1", service="payroll"),
        opened(_CLOSED, title="Over"),
        events.IncidentClosed(at=START, by="person:paul", incident=_CLOSED, policy=1),
    )
    for read in ("/v1/queues/all/incidents", f"/v1/incidents/{_CLOSED}/timeline"):
        shared_api.get(read, min_position=position)
    return shared_api


def _look(api: Api, path: str, who: str = "agent") -> httpx.Response:
    cookie = {"Cookie": f"{COOKIE}={api.tokens[who]}"}
    return answered(lambda: api.call("GET", path, who=None, headers=cookie))


def _shown(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return re.findall(r'<tr data-ref="(INC-\d+)"', answer.text)


def _link(answer: httpx.Response, pattern: str) -> str:
    """Return the one link of a page whose address fits."""
    (found,) = {
        href
        for href in map(unescape, re.findall(r'href="([^"]*)"', answer.text))
        if re.fullmatch(pattern, href)
    }
    return found


@pytest.mark.parametrize(
    ("query", "refs"),
    [
        ("", [_URGENT, _OPEN]),
        ("priority=p1", [_URGENT]),
        ("priority=p1&priority=p3", [_URGENT, _OPEN]),
        ("service=payroll&status=new", [_URGENT]),
        ("assignee=nobody", []),
        ("status=closed", [_CLOSED]),
    ],
)
def test_the_filters_of_the_api_are_those_of_the_page(
    desk: Api, query: str, refs: list[str]
) -> None:
    assert _shown(_look(desk, f"/?{query}")) == refs


def test_a_filter_that_is_no_filter_is_said_in_a_sentence(desk: Api) -> None:
    assert _look(desk, "/?priority=p9").status_code == 422


@pytest.mark.parametrize(("who", "acts"), [("agent", True), ("auditor", False)])
def test_only_who_may_act_is_offered_actions(
    desk: Api, who: str, *, acts: bool
) -> None:
    queue, incident = (
        _look(desk, path, who).text for path in ("/", f"/incidents/{_OPEN}")
    )

    assert _OPEN in queue
    offers = ('class="quick"', 'name="ref"', 'id="bulk"', 'href="/contacts/new"')
    assert [each in queue for each in offers] == [acts] * 4
    assert ('href="/contacts/new"' in incident, "data-files" in incident) == (
        acts,
        acts,
    )
    actions = desk.get("/v1/queues/all/incidents", who)["actions"]
    assert (actions.get(_OPEN) == ["acknowledge"]) is acts


def test_the_load_leads_to_the_incidents_of_a_team_at_a_level(desk: Api) -> None:
    load = _look(desk, _link(_look(desk, "/"), "/load"))

    assert _shown(_look(desk, _link(load, r"/\?queue=.*"))) == [_URGENT, _OPEN]
    assert _link(load, r"/incidents/.*") == f"/incidents/{_OPEN}"


def test_what_ended_has_a_queue_of_its_own(desk: Api) -> None:
    ended = _link(_look(desk, "/"), r"/\?status=closed.*")

    assert _shown(_look(desk, ended)) == [_CLOSED]


@pytest.mark.parametrize("ref", [_CLOSED, f" {_OPEN.lower()} "])
def test_a_whole_reference_opens_its_incident(desk: Api, ref: str) -> None:
    answer = _look(desk, f"/?queue=unassigned&q={ref}")

    assert answer.status_code == 303
    place = f"/incidents/{ref.strip().upper()}"
    assert answer.headers["Location"] == f"{place}?back=queue%3Dunassigned"


def test_a_reference_that_does_not_exist_finds_nothing(desk: Api) -> None:
    answer = _look(desk, "/?q=INC-009999")

    assert _shown(answer) == []
    assert "Nothing found." in answer.text


def test_a_search_goes_on_among_those_that_ended(desk: Api) -> None:
    nothing = _look(desk, "/?q=over")
    ended = _look(desk, _link(nothing, r"/\?status=.*q=over"))

    assert _shown(nothing) == []
    assert _shown(ended) == [_CLOSED]
    assert _link(ended, r"/\?q=over") == "/?q=over"


def test_the_way_back_and_the_other_language_keep_what_was_asked(desk: Api) -> None:
    asked = "queue=all&q=port&priority=p1"
    queue = _look(desk, f"/?{asked}")
    incident = _look(desk, _link(queue, f"/incidents/{_URGENT}.*"))

    assert _link(queue, r"\?.*lang=fr") == f"?{asked}&lang=fr"
    assert _link(incident, r"/\?queue.*") == f"/?{asked}"
    french = _look(desk, f"/incidents/{_URGENT}{_link(incident, r'.*lang=fr')}")
    assert _link(french, r"/\?queue.*") == f"/?{asked}"


def test_the_way_back_leads_to_a_queue_and_nowhere_else(desk: Api) -> None:
    answer = _look(desk, f"/incidents/{_OPEN}?back=queue%3Dall%26next%3D%2F%2Fevil%22")

    assert _link(answer, r"/\?queue.*") == "/?queue=all"
    assert "evil" not in answer.text


def test_a_row_says_whom_it_waits_for_and_until_when_it_is_snoozed(api: Api) -> None:
    told = {"at": START, "by": "person:paul", "whose": "person:paul", "policy": 1}
    waits = {**told, "incident": _OPEN, "reason": "vendor"}
    rests = {
        **told,
        "incident": _URGENT,
        "until": "2199-06-01T08:00:00Z",
        "reason": "x",
    }
    over = {**told, "incident": _CLOSED, "until": "2026-03-01T08:00:00Z", "reason": "x"}
    position = api.happened(
        *(opened(ref, title=ref) for ref in (_OPEN, _URGENT, _CLOSED)),
        events.IncidentPaused.model_validate(waits),
        events.IncidentSnoozed.model_validate(rests),
        events.IncidentSnoozed.model_validate(over),
    )
    api.get("/v1/queues/all/incidents", min_position=position)

    page = _look(api, "/?lang=en").text

    assert page.count("waits for a vendor") == 1
    assert page.count("snoozed until") == 1
    assert "2199-06-01T08:00:00Z" in page


def test_an_open_root_cause_and_a_quick_fix_are_marked_in_queue_and_incident(
    api: Api,
) -> None:
    told = {"at": START, "by": "person:paul", "whose": "person:paul", "policy": 1}
    over = {**told, "cycle": 1, "root_cause_open": True}
    again = {
        **told,
        "incident": _URGENT,
        "cycle": 2,
        "cause": "agent",
        "quick_fix": True,
        "after_closure": False,
    }
    position = api.happened(
        *(opened(ref, title=ref) for ref in (_OPEN, _URGENT)),
        *(
            events.IncidentResolved.model_validate({**over, "incident": ref})
            for ref in (_OPEN, _URGENT)
        ),
        events.IncidentReopened.model_validate(again),
    )
    api.get("/v1/queues/all/incidents", min_position=position)

    queue = _look(api, "/?lang=en").text
    open_, urgent = (
        _look(api, f"/incidents/{ref}?lang=fr&min_position={position}").text
        for ref in (_OPEN, _URGENT)
    )

    assert queue.count(">root cause open<") == queue.count(">quick fix<") == 1
    assert ">cause non traitée<" in open_
    assert ">correctif provisoire<" in urgent


def test_an_incident_shows_what_its_source_said_and_links_nowhere_but_to_the_web(
    api: Api,
) -> None:
    said = {
        "links": [{"href": "javascript:alert(1)", "text": "Free beer"}],
        "graph": "https://graphs.example.org/1",
    }
    labels = {"host": "db1", "runbook": "https://wiki.example.org/disk"}
    told = {"origin": "monitoring", "labels": labels, "details": dumps(said).decode()}
    position = api.happened(opened(_OPEN, **told))

    shown = api.get(f"/v1/incidents/{_OPEN}", min_position=position)
    page = _look(api, f"/incidents/{_OPEN}?lang=en&min_position={position}").text

    assert (shown["host"], shown["labels"]) == ("db1", labels)
    assert shown["source_links"] == [
        {"href": "https://graphs.example.org/1", "text": "graph"}
    ]
    hrefs = set(re.findall(r'href="(\w+:[^"]*)" target', page))
    assert hrefs == {"https://graphs.example.org/1", "https://wiki.example.org/disk"}
    assert "Host</dt><dd><bdi>db1" in page


def test_an_incident_shows_its_description_or_the_words_of_its_user(api: Api) -> None:
    told = {"at": START, "by": "person:paul", "whose": "person:lefevre", "policy": 1}
    call = {
        **told,
        "incident": _URGENT,
        "person": "lefevre",
        "direction": "inbound",
        "channel": "phone",
        "contacted_at": START,
        "words": "Écran noir.\n<b>Depuis lundi</b>",
    }
    position = api.happened(
        opened(_OPEN, details="It smells"),
        opened(_URGENT, reporter="lefevre"),
        events.IncidentContacted.model_validate(call),
    )

    one, other = (
        _look(api, f"/incidents/{ref}?lang=en&min_position={position}").text
        for ref in (_OPEN, _URGENT)
    )

    assert "It smells</p>" in one
    assert "Écran noir.\n&lt;b&gt;Depuis lundi" in other


def test_each_queue_has_a_heading(desk: Api) -> None:
    assert len(re.findall("<h1", _look(desk, "/").text)) == 1


def test_a_queue_is_downloaded_as_it_is_filtered(desk: Api) -> None:
    open_ = _look(desk, "/?priority=p1&lang=fr")
    rows = _link(open_, r"/queue/rows\?.*")
    table = _look(desk, f"{rows}&lang=fr")

    lines = table.content.decode("utf-8-sig").splitlines()
    assert lines[0].startswith("ref;title;")
    assert [line.partition(";")[0] for line in lines[1:]] == [_URGENT]
    assert _look(desk, "/queue/rows?filter=priority:p9").status_code == 422
