"""One stream that cannot be read is left out of what is about many, and stops none."""

from contextlib import closing
from datetime import UTC, datetime

import psycopg
import pytest

from services.projections.api.incidents.linked import with_titles
from services.projections.api.incidents.views import LinkView
from services.projections.api.session_cookie import COOKIE
from services.projections.audit.verify import read_all
from services.projections.generations import live
from services.projections.log_queries import known_at
from services.projections.read_models import TIMELINE
from services.projections.timeline.store import Part, lines, with_words
from shared.domain.events.incident import IncidentAcknowledged
from shared.domain.limits import Limits, Place
from shared.eventlog.append import AppendUnit
from shared.eventlog.log import EventLog
from shared.eventlog.readers.position import Bookmark
from shared.eventlog.recorder import PendingEvent
from shared.security.access import create
from shared.security.places import places
from tests.support.builders.june_log import ONE, THREE, TWO, June, june
from tests.support.builders.promise_events import armed, told
from tests.support.command_line import permanence
from tests.support.desks.api import MASTER, Api, problem
from tests.support.faults.later_version import record_skipped, write_unknown
from tests.support.patience import until
from tests.support.servers.sse import events, listening
from tests.support.strategies.histories import START, opened

pytestmark = pytest.mark.servers

PRB_ONE, PRB_TWO, PRB_THREE, PRB_FOUR = (f"PRB-00000{n}" for n in range(1, 5))
EIGHT = "INC-000008"
PART = {"service": "portal", "team": "studies"}


@pytest.fixture(scope="module")
def desk(shared_api: Api) -> Api:
    """Give an API in whose log each second record has an event of a later version."""
    month = June(shared_api.database)
    with closing(month.log):
        month.applied()
        for day, (ref, cause) in enumerate([(ONE, PRB_ONE), (TWO, PRB_TWO)], start=2):
            month.opens(june(day), ref, client="mairie")
            about = {**PART, "title": "Mail", "origin": "staff"}
            month.says(june(day), "problem.identified", cause, **about)
            asked = {**PART, "cycle": 1, "breached_at": june(2)}
            month.says(june(day), "handover.requested", ref, **asked)
            note = {"service": "portal", "note": "Restart it"}
            month.says(june(day), "incident.solution_noted", ref, **note)
        _says_what_no_query_looks_into(month)
        write_unknown(month.log, f"problem-{PRB_TWO}")
        write_unknown(month.log, f"handover-{TWO}")
        stream = f"incident-{ONE}"
        version = month.log.head_version(stream) + 1
        newer = b'{"type":"incident.solution_noted","v":99}'
        later = PendingEvent(stream, version, "incident.solution_noted", newer)
        with month.log.transaction() as cursor:
            month.log.append(cursor, [AppendUnit((later,))])
        write_unknown(month.log, f"escalation-{THREE}")
    return shared_api


def _says_what_no_query_looks_into(month: June) -> None:
    """Record JSON, as the owner may, that PostgreSQL does not hold."""
    about = {**PART, "title": "Mail", "origin": "staff"}
    month.says(june(4), "problem.identified", PRB_THREE, **about)
    for _ in ("once", "which cannot have happened"):
        month.says(june(4), "problem.identified", PRB_FOUR, **{**about, "title": "Fax"})
    asked = {**PART, "cycle": 1, "breached_at": june(2)}
    month.says(june(4), "handover.requested", EIGHT, **asked)
    for stream, kind, field in (
        (f"problem-{PRB_THREE}", "problem.assigned", "team"),
        (f"handover-{EIGHT}", "handover.joined", "to_be_confirmed"),
        (f"incident-{EIGHT}", "incident.solution_noted", "service"),
    ):
        version = month.log.head_version(stream) + 1
        state = f'{{"{field}":"\\u0000"}}'.encode()
        unit = AppendUnit((PendingEvent(stream, version, kind, state),))
        with month.log.transaction() as cursor:
            month.log.append(cursor, [unit])


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/v1/problems", [PRB_FOUR, PRB_ONE]),
        ("/v1/handovers?limit=1", [ONE]),
        ("/v1/solutions", [TWO]),
    ],
)
def test_a_list_shows_the_others(desk: Api, path: str, shown: list[str]) -> None:
    items = desk.get(path)["items"]

    assert [each.get("ref") or each["incident"] for each in items] == shown
    problem(desk.call("GET", f"/v1/problems/{PRB_TWO}"), 503)


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/v1/problems?team=studies", [PRB_FOUR, PRB_ONE]),
        ("/v1/handovers?limit=1", [ONE]),
        ("/v1/solutions?service=portal", [TWO]),
    ],
)
def test_text_that_postgresql_does_not_hold_fails_no_query(
    desk: Api, path: str, shown: list[str]
) -> None:
    items = desk.get(path)["items"]

    assert [each.get("ref") or each["incident"] for each in items] == shown


def test_an_auditor_reads_the_log_around_it_in_sql(desk: Api) -> None:
    with (
        psycopg.connect(desk.database.dsn("desk_auditor")) as connection,
        connection.cursor() as cursor,
    ):
        found = cursor.execute(
            "SELECT stream, event ->> 'type' IS NULL FROM log.readable "
            "WHERE stream LIKE 'handover-%' ORDER BY position"
        ).fetchall()

    assert [stream for stream, is_odd in found if is_odd] == [f"handover-{EIGHT}"]


def test_what_somebody_with_limits_hears_goes_on(desk: Api) -> None:
    with desk.log.transaction() as cursor:
        limits = Limits(clients=frozenset(["mairie"]))
        now = datetime.now(UTC)
        made = create(cursor, now, "person:lea", ["agent"], limits=limits)
    headers = {"Authorization": f"Bearer {made.token}"}

    with listening(f"{desk.url}/v1/stream", headers) as said:
        next(said)
        write_unknown(desk.log, f"incident-{ONE}")
        taken = IncidentAcknowledged(
            at=START, by="person:paul", incident=TWO, policy=1, cycle=1
        )
        desk.happened(taken)
        (heard,) = events(said, 1)

    assert heard.data
    assert (heard.event, heard.data["incident"]) == ("incident.acknowledged", TWO)


def test_a_record_that_may_have_moved_is_nowhere_and_lost_words_move_none(
    desk: Api,
) -> None:
    four = "INC-000004"
    words = {"title": "Costa cannot print", "whose": "person:costa"}
    desk.happened(opened(THREE, client="mairie"))
    desk.happened(opened(four, client="mairie", reporter="costa", **words))
    with desk.log.transaction() as cursor:
        cursor.execute("DELETE FROM vault.keys WHERE owner = 'person:costa'")
    with desk.log.transaction() as cursor:
        found = places(desk.log, cursor, [THREE, four])

    assert found == {four: Place("mairie", "portal", "desk")}


@pytest.mark.parametrize(
    "path", ["/v1/log?limit=500", f"/v1/incidents/{ONE}/events?limit=500"]
)
def test_an_event_that_cannot_be_read_says_why_and_the_others_are_answered(
    desk: Api, path: str
) -> None:
    items = desk.get(path, "auditor")["items"]

    (later,) = [
        each
        for each in items
        if each["type"] == "incident.solution_noted"
        and each["stream"] == f"incident-{ONE}"
        and each["unreadable"]
    ]
    assert later["event"] == {}
    assert "incident.solution_noted" in later["unreadable"]
    assert items[0]["event"]
    assert items[0]["unreadable"] is None


def test_a_table_of_the_log_has_the_event_that_cannot_be_read(desk: Api) -> None:
    table = desk.call("GET", "/v1/log?format=csv&limit=500", "auditor")

    assert table.status_code == 200
    assert "incident.solution_noted" in table.text


def test_metrics_count_the_events_that_could_not_be_read(desk: Api) -> None:
    desk.get("/v1/log?limit=500", "auditor")

    until(lambda: unreadable_events(desk) >= 3, "the metric counts them")


def unreadable_events(desk: Api) -> float:
    """Return how many the metric of the log counts."""
    (line,) = [
        each
        for each in desk.call("GET", "/metrics", None).text.splitlines()
        if each.startswith('permanence_events_unreadable{name="log"}')
    ]
    return float(line.rpartition(" ")[2])


def test_an_audit_names_each_event_that_cannot_be_read(desk: Api) -> None:
    found = read_all(desk.log, lambda _, __: None)

    assert found.count == len(found.unreadable) >= 3
    assert "incident.rebranded" in {each.type for each in found.unreadable}
    assert found.events == desk.log.head().position - found.count


def test_a_search_finds_the_others(desk: Api) -> None:
    def found() -> list[str]:
        items = desk.get("/v1/search", q="mail", kind="problem")["items"]
        return [each["id"] for each in items]

    until(lambda: found() == [PRB_ONE], "only the other one is found")


def test_links_to_it_have_no_title_and_the_others_do(desk: Api) -> None:
    twice = "INC-000030"
    desk.happened(opened(twice, title="Fan"), opened(twice, title="Which cannot be"))
    links = [LinkView(relation="problem", target=ref) for ref in (PRB_ONE, PRB_TWO)]
    links.append(LinkView(relation="related", target=twice))
    with desk.log.transaction() as cursor:
        upto = known_at(cursor, None)
        shown = with_titles(desk.log, cursor, upto, links)

    assert [each.title for each in shown] == ["Mail", None, "Fan"]


def test_a_timeline_shows_that_words_with_a_lost_key_cannot_be_read(desk: Api) -> None:
    five = "INC-000005"
    words = {"title": "Zoe cannot print", "whose": "person:zoe"}
    position = desk.happened(opened(five, reporter="zoe", **words))
    desk.get(f"/v1/incidents/{five}/timeline", min_position=position)
    with desk.log.transaction() as cursor:
        cursor.execute("DELETE FROM vault.keys WHERE owner = 'person:zoe'")
    with (
        closing(EventLog.open(desk.database.owner_dsn, master=MASTER)) as log,
        log.transaction() as cursor,
    ):
        part = Part(0, position, 10)
        (line,) = lines(cursor, live(cursor, TIMELINE).schema, five, part)
        (shown,) = with_words(log, cursor, [line])

    assert shown.what["title"] == "[unreadable]"


PARTS = ["", "/sla", "/sla/intervals", "/sla/explain", "/attachments"]


@pytest.mark.parametrize("part", PARTS)
def test_what_cannot_be_read_is_not_told_to_those_who_may_not_see_it(
    desk: Api, part: str
) -> None:
    theirs = f"INC-00001{len(part) % 10}"
    desk.happened(opened(theirs, client="theirs"))
    write_unknown(desk.log, f"incident-{theirs}")
    with desk.log.transaction() as cursor:
        limits = Limits(clients=frozenset(["mairie"]))
        made = create(cursor, datetime.now(UTC), "person:max", ["agent"], limits=limits)
    headers = {"Authorization": f"Bearer {made.token}"}
    path = f"/v1/incidents/{theirs}{part}"

    (named,) = desk.get(path)["unreadable"]

    assert named["stream"] == f"incident-{theirs}"
    problem(desk.call("GET", path, None, headers), 404)


@pytest.mark.parametrize("edge", [datetime.min, datetime.max], ids=["first", "last"])
def test_the_first_and_the_last_instant_of_all_are_shown(
    desk: Api, edge: datetime
) -> None:
    ref = f"INC-00002{edge.year % 7}"
    at = edge.replace(tzinfo=UTC)
    desk.happened(opened(ref).model_copy(update={"at": at, "reported_at": at}))

    assert desk.get(f"/v1/incidents/{ref}")["ref"] == ref


SIX = "INC-000006"


@pytest.fixture(scope="module")
def impossible(desk: Api) -> int:
    """Record a promise that is met but was never made; return its position."""
    desk.happened(opened(SIX), armed(SIX, "tto", 40))
    met = told("sla.met", SIX, target="ttr", met_at=START)
    after = told("sla.met", SIX, target="tto", met_at=START)
    taken = told("incident.acknowledged", SIX)
    return desk.happened(met, after, taken) - 2


@pytest.mark.parametrize("part", PARTS)
def test_what_cannot_have_happened_is_named_and_the_rest_is_answered(
    desk: Api, impossible: int, part: str
) -> None:
    answer = desk.get(f"/v1/incidents/{SIX}{part}")

    (named,) = answer["unreadable"]
    assert named["why"].startswith("it cannot have happened: sla.met of")
    assert {name: named[name] for name in ("position", "type", "stream", "later")} == {
        "position": impossible,
        "type": "sla.met",
        "stream": f"sla-{SIX}",
        "later": 1,
    }


def test_the_incident_and_its_other_promises_are_what_they_were(
    desk: Api, impossible: int
) -> None:
    incident = desk.get(f"/v1/incidents/{SIX}", min_position=impossible)

    assert incident["status"] == "acknowledged"
    assert [each["state"] for each in incident["promises"]] == ["running"]


def test_a_timeline_has_a_line_where_an_event_cannot_be_read(desk: Api) -> None:
    seven = "INC-000007"
    desk.happened(opened(seven))
    write_unknown(desk.log, f"escalation-{seven}")
    head = desk.happened(told("incident.acknowledged", seven))

    items = desk.get(f"/v1/incidents/{seven}/timeline", min_position=head)["items"]
    newest = desk.get(f"/v1/incidents/{seven}/timeline?order=newest&limit=2")

    assert [bool(each["unreadable"]) for each in items] == [False, True, False]
    assert [each["position"] for each in items] == [head - 2, head - 1, head]
    assert f"Position {head - 1}: an event (incident.rebranded)" in items[1]["sentence"]
    assert [each["position"] for each in newest["items"]] == [head, head - 1]
    assert newest["next_before"] == head - 1


def test_what_was_skipped_is_in_a_timeline_once(desk: Api) -> None:
    """It may have been read before, or be parked again since."""
    nine = "INC-000009"
    read = desk.happened(opened(nine))
    write_unknown(desk.log, f"sla-{nine}")
    head = desk.happened(told("incident.acknowledged", nine))
    path = f"/v1/incidents/{nine}/timeline"
    before = desk.get(path, min_position=head)["items"]

    with desk.log.transaction() as cursor:
        for stream, position in ((f"incident-{nine}", read), (f"sla-{nine}", read + 1)):
            record_skipped(cursor, Bookmark("rm", "timeline"), (stream, position))

    assert desk.get(path)["items"] == before
    assert [each["position"] for each in before] == [read, read + 1, head]


def test_its_page_says_what_is_missing(desk: Api, impossible: int) -> None:
    cookie = {"Cookie": f"{COOKIE}={desk.tokens['agent']}"}
    desk.get(f"/v1/incidents/{SIX}/timeline", min_position=impossible)

    page = desk.call("GET", f"/incidents/{SIX}", None, cookie).text

    assert f"Position {impossible}, <code>sla.met</code>, sla-{SIX}" in page


def test_a_replay_says_what_is_missing(desk: Api, impossible: int) -> None:
    environment = {
        "DATABASE_URL": desk.database.owner_dsn,
        "PERMANENCE_VAULT_KEY_FILE": "",
    }

    replayed = permanence("replay", SIX, "--json", env=environment)

    (named,) = replayed.plain["incident"]["unreadable"]
    assert named["position"] == impossible
