"""Calendars of shifts by a secret link: what they show, to whom, and until when."""

import re
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from icalendar import Calendar

from services.intake.directory.store import import_people
from services.projections.api.session_cookie import COOKIE
from services.projections.web.csrf import token_for
from shared.domain.events.on_call import AbsenceAdded
from shared.domain.events.on_call_history import OnCallHandedOver
from shared.domain.identifiers import absences_stream, on_call_history_stream
from shared.security.sign_in_links import revoke_sign_ins
from tests.support.builders.june_log import June
from tests.support.desks.api import Api, problem
from tests.support.policies import full_text

pytestmark = pytest.mark.servers

DAY = timedelta(days=1)
MINE = ("participants: [tariq, ines, jos]", "participants: [paul, nadia]")
MEMBERS = (
    "members: [tariq, ines, jos]",
    "members: [tariq, ines, jos, paul, nadia]",
)
PEOPLE = [{"id": "paul", "name": "Paul"}, {"id": "nadia", "name": "Nadia B."}]


@pytest.fixture
def shifts(api: Api, month: June) -> Api:
    """Give an API whose agent takes turns with a colleague."""
    month.applied(full_text(MINE, MEMBERS))
    with month.log.transaction() as cursor:
        import_people(cursor, PEOPLE, month.now)
    return api


def made(api: Api, who: str = "agent", **body: str) -> dict[str, str]:
    answer = api.call("POST", "/v1/calendars", who, json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, str] = answer.json()
    return found


def events(api: Api, path: str) -> list[tuple[str, timedelta]]:
    answer = api.call("GET", path, None)
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert answer.headers["cache-control"] == "private, no-cache"
    calendar = Calendar.from_ical(answer.content)
    return [(str(each["SUMMARY"]), each.duration) for each in calendar.events]


def test_a_calendar_has_the_shifts_and_absences_of_its_person_and_no_names(
    shifts: Api, month: June
) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    gone = AbsenceAdded(
        at=now,
        by="person:paul",
        person="paul",
        absence="paul.2",
        start=now + 100 * DAY,
        end=now + 101 * DAY,
    )
    near = gone.model_copy(update={"absence": "paul.1", "start": now, "end": now + DAY})
    month.log.record(absences_stream("paul"), 0, [near])
    month.log.record(absences_stream("paul"), 1, [gone])

    own = events(shifts, made(shifts)["path"])
    colleague = events(shifts, made(shifts, "other_agent")["path"])
    everybody = events(shifts, made(shifts, "other_agent", schedule="garde")["path"])

    assert {summary for summary, _ in own} == {"Absent", "On call: garde"}
    assert [lasts for summary, lasts in own if summary == "Absent"] == [DAY]
    assert {summary for summary, _ in colleague} == {"On call: garde"}
    assert {summary for summary, _ in everybody} == {"garde: Paul", "garde: Nadia B."}


def test_a_calendar_is_sent_again_only_if_it_has_changed(shifts: Api) -> None:
    path = made(shifts)["path"]

    first = shifts.call("GET", path, None)
    tag = {"If-None-Match": f'"other", W/{first.headers["etag"]}'}
    again = shifts.call("GET", path, None, tag)
    french = shifts.call("GET", path, None, {**tag, "Accept-Language": "fr"})

    assert (again.status_code, again.content) == (304, b"")
    assert french.status_code == 200
    assert "Astreinte\u00a0: garde" in french.text
    text = re.sub(r"\r\n ", "", first.text)
    assert "REFRESH-INTERVAL;VALUE=DURATION:PT1H" in text
    assert re.search(r"UID:garde-primary-\d{8}T\d{6}Z@permanence\r\n", text)
    assert re.search(r"DTSTART:\d{8}T\d{6}Z\r\n", text)
    assert "SEQUENCE:2\r\n" in text


def test_a_link_ends_when_it_is_revoked_replaced_or_its_person_is_removed(
    shifts: Api, month: June
) -> None:
    replaced, revoked = made(shifts), made(shifts)
    removed = made(shifts, "other_agent")

    shifts.call("DELETE", f"/v1/calendars/{revoked['id']}", "other_agent")
    assert shifts.call("GET", revoked["path"], None).status_code == 200
    left = shifts.call("DELETE", f"/v1/calendars/{revoked['id']}").json()
    with month.log.transaction() as cursor:
        cursor.execute("SELECT desk.drop_views_of('nadia')")

    assert left == {"items": []}
    wrong = {"path": f"/v1/calendars/{'x' * 43}.ics"}
    answers = [
        problem(shifts.call("GET", each["path"], None), 404)
        for each in (replaced, revoked, removed, wrong)
    ]
    assert answers == [answers[0]] * 4


def test_a_calendar_shows_who_was_on_call_as_it_was_recorded(
    shifts: Api, month: June
) -> None:
    """Whatever the policy of today would say about that time."""
    begins = datetime.now(UTC).replace(microsecond=0) - 10 * DAY
    stands = {"at": begins, "by": "system:escalation", "schedule": "garde"}
    for version, (day, people) in enumerate([(0, ("ines",)), (2, ("jos",)), (3, ())]):
        handed = OnCallHandedOver(
            **stands,
            role="primary",
            at_instant=begins + day * DAY,
            outgoing=(),
            incoming=people,
            policy=1,
        )
        month.log.record(on_call_history_stream("garde"), version, [handed])

    found = events(shifts, made(shifts, schedule="garde")["path"])

    assert {("garde: ines", 2 * DAY), ("garde: jos", DAY)} <= set(found)


def test_a_link_is_void_while_its_person_has_no_role(shifts: Api, month: June) -> None:
    paths = [made(shifts)["path"], made(shifts, schedule="garde")["path"]]
    withdraw = "UPDATE access.tokens SET revoked_at = {} WHERE actor = 'person:paul'"
    found = []
    for at in ("now()", "NULL"):
        with psycopg.connect(shifts.database.owner_dsn) as owner:
            owner.execute(withdraw.format(at))
        found.append([shifts.call("GET", path, None).status_code for path in paths])

    assert month.now
    assert found == [[404, 404], [200, 200]]


def test_a_restore_ends_every_link_since_the_backup_may_have_revoked_ones(
    shifts: Api, month: June
) -> None:
    path = made(shifts)["path"]
    with (
        psycopg.connect(shifts.database.dsn("desk_admin")) as admin,
        admin.cursor() as cursor,
    ):
        revoke_sign_ins(cursor, month.now)

    assert shifts.call("GET", path, None).status_code == 404


def test_only_people_make_links_and_only_to_schedules_that_exist(shifts: Api) -> None:
    post = ("POST", "/v1/calendars")

    assert problem(shifts.call(*post, "source", json={}), 403)
    assert problem(shifts.call(*post, json={"schedule": "nights"}), 404)
    assert shifts.get("/v1/calendars") == {"items": []}
    with shifts.log.transaction() as cursor:
        made_of = cursor.execute("SELECT count(*) FROM desk.calendar_feeds")
        assert made_of.fetchone() == (0,)


def test_the_screen_shows_a_link_once_and_revokes_it(shifts: Api) -> None:
    body = {"token": shifts.tokens["agent"], "device": "Firefox"}
    session = shifts.call("POST", "/v1/sessions", None, json=body).json()["session"]
    cookie, form = {"Cookie": f"{COOKIE}={session}"}, {"csrf": token_for(session)}

    shown = shifts.call("POST", "/on-call/calendars", None, cookie, data=form)
    again = shifts.call("GET", "/on-call/calendars", None, cookie)
    (path,) = re.findall(r"/v1/calendars/[A-Za-z0-9_-]{43}\.ics", shown.text)
    (feed,) = re.findall(r"/on-call/calendars/[0-9a-f]{12}/revoke", again.text)
    forged = shifts.call("POST", feed, None, cookie, data={"csrf": "0" * 64})
    before = shifts.call("GET", path, None)
    done = shifts.call("POST", feed, None, cookie, data=form)

    assert shown.headers["cache-control"] == "no-store"
    assert ".ics" not in again.text
    assert (forged.status_code, before.status_code) == (403, 200)
    assert done.headers["location"] == "/on-call/calendars"
    assert shifts.call("GET", path, None).status_code == 404
