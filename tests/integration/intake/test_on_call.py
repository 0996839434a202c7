"""Changes of a schedule in a real log: recorded once, kept, and read by everybody."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from psycopg.errors import InsufficientPrivilege

from services.intake.directory.store import import_people
from services.intake.on_call.store import OnCallDesk
from services.intake.policy import store as policy_store
from services.intake.policy.store import Applied, Policies, Signature
from shared.domain.commands.on_call import BODIES, OnCallAnswer
from shared.domain.events.on_call import OverrideAdded
from shared.domain.identifiers import on_call_stream
from shared.domain.on_call import on_call
from shared.eventlog.log import EventLog
from shared.eventlog.policies import policy_now
from shared.http.problem_details import HttpError
from shared.messaging.commands import CommandRequest, Scope
from shared.on_call_changes import roster_of, rosters_of
from tests.support.faults.later_version import write_unknown
from tests.support.key_ring import MASTER
from tests.support.policies import FULL, full_text
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

# Turns of two weeks from Monday 2025-01-06 at 08:00 in Brussels: tariq, ines, jos.
NOW = datetime(2025, 6, 17, 12, tzinfo=UTC)
DAY = timedelta(days=1)
BY_TARIQ: dict[str, Any] = {
    "schedule": "garde",
    "kind": "replace",
    "add": "tariq",
    "remove": "jos",
    "end": NOW + DAY,
}
TO_INES = (
    "participants: [tariq, ines, jos]}}\nescalation",
    "participants: [ines, jos]}}\nescalation",
)
PEOPLE = [{"id": person, "name": person} for person in ("tariq", "ines", "jos")]


def apply(database: Database, text: str = FULL) -> None:
    with closing(EventLog.open(database.owner_dsn, clock=lambda: NOW)) as log:
        signed = Signature(by="ghislaine", reason="a test", approved_by="direction")
        done = policy_store.apply(log, text, signed, NOW)
        assert isinstance(done, Applied), done
        with log.transaction() as cursor:
            import_people(cursor, PEOPLE, NOW)


@pytest.fixture
def intake(database: Database) -> Iterator[EventLog]:
    apply(database)
    log = EventLog.open(database.dsn("desk_intake"), clock=lambda: NOW, pool_size=8)
    yield log
    log.close()


def takes(
    log: EventLog,
    who: str,
    verb: str,
    number: int | None = None,
    *,
    preview: bool = False,
    scopes: tuple[Scope, ...] = ("agent",),
    **body: Any,
) -> OnCallAnswer:
    desk = OnCallDesk(log, Policies(log), lambda: NOW)
    command = BODIES[verb].model_validate(body)
    return desk.take(
        CommandRequest[Any](
            actor=f"person:{who}",
            scopes=scopes,
            command_id=None if number is None else UUID(int=number),
            preview=preview,
            body=command,
        )
    )


def seen_by(
    database: Database, role: str, at: datetime = NOW, upto: int = 2**63 - 1
) -> tuple[str, ...]:
    with (
        closing(EventLog.open(database.dsn(role), pool_size=1)) as log,
        log.transaction() as cursor,
    ):
        policy = policy_now(log, cursor)
        assert policy is not None
        return on_call(roster_of(cursor, "garde", policy, upto=upto), at)


def test_an_override_is_recorded_once_and_every_service_goes_by_it(
    intake: EventLog, database: Database
) -> None:
    before = intake.head().position
    done = takes(intake, "tariq", "add_override", 1, **BY_TARIQ)
    again = takes(intake, "tariq", "add_override", 1, **BY_TARIQ)

    assert (done.outcome, done.change, done.version) == ("recorded", "garde.1", 1)
    assert [each.code for each in done.warnings] == ["notice"]
    assert (again.outcome, again.positions) == ("repeated", done.positions)
    for role in ("desk_intake", "desk_escalation", "desk_projections"):
        assert seen_by(database, role) == ("tariq",)
    assert seen_by(database, "desk_projections", upto=before) == ("jos",)
    with pytest.raises(HttpError) as no:
        takes(intake, "tariq", "add_override", 1, **{**BY_TARIQ, "end": NOW + 2 * DAY})
    assert no.value.details.code == "idempotency_key"


def test_shifts_are_imported_as_a_whole_and_the_next_import_replaces_them(
    intake: EventLog, database: Database
) -> None:
    def imports(person: str, number: int | None) -> OnCallAnswer:
        hours = [NOW + timedelta(hours=each) for each in range(301)]
        shifts = [
            {"people": [person if n % 2 else "jos"], "start": begins, "end": ends}
            for n, (begins, ends) in enumerate(pairwise(hours))
        ]
        about = {"schedule": "garde", "name": "july", "end": NOW + 30 * DAY}
        body: dict[str, Any] = {"scopes": ("manager",), "shifts": shifts, **about}
        return takes(intake, "root", "import_shifts", number, **body)

    first, again = imports("tariq", 1), imports("tariq", 1)
    same, other = imports("tariq", 2), imports("ines", 3)

    assert (first.outcome, first.added) == ("recorded", ["garde.1", "garde.2"])
    assert again == first.model_copy(update={"outcome": "repeated", "warnings": []})
    assert (same.outcome, same.positions) == ("already", [])
    assert (other.added, other.withdrawn) == (["garde.3", "garde.4"], first.added)
    assert seen_by(database, "desk_escalation", NOW + timedelta(hours=1.5)) == ("ines",)
    assert seen_by(database, "desk_escalation", NOW + timedelta(hours=2.5)) == ("jos",)


def test_a_preview_is_decided_as_the_command_and_records_nothing(
    intake: EventLog,
) -> None:
    before = intake.head().position
    away: dict[str, Any] = {"person": "jos", "end": NOW + DAY}

    seen = takes(intake, "tariq", "add_override", 1, preview=True, **BY_TARIQ)
    absent = takes(intake, "jos", "add_absence", preview=True, **away)
    with pytest.raises(HttpError):
        takes(intake, "stranger", "add_override", preview=True, **BY_TARIQ)

    assert (seen.outcome, seen.version, seen.positions) == ("would_record", 0, [])
    assert (absent.outcome, absent.version) == ("would_record", 0)
    assert intake.head().position == before
    with intake.transaction() as cursor:
        query = "SELECT count(*) FROM intake.refusals"
        assert cursor.execute(query).fetchone() == (0,)
    done = takes(intake, "tariq", "add_override", 1, **BY_TARIQ)
    assert (done.start, done.end, done.warnings) == (
        seen.start,
        seen.end,
        seen.warnings,
    )


def test_what_people_changed_survives_another_policy(
    intake: EventLog, database: Database
) -> None:
    takes(intake, "tariq", "add_override", **BY_TARIQ)

    apply(database, full_text(TO_INES))

    assert seen_by(database, "desk_escalation") == ("tariq",)


def test_a_schedule_that_the_policy_has_no_more_keeps_what_was_changed(
    intake: EventLog, database: Database
) -> None:
    takes(intake, "tariq", "add_override", **BY_TARIQ)
    text = FULL.replace("garde:", "nuit:").replace("schedule: garde", "schedule: nuit")
    apply(database, text)

    with pytest.raises(HttpError) as no:
        takes(intake, "tariq", "add_override", **BY_TARIQ)
    gone = takes(
        intake, "tariq", "withdraw_override", schedule="garde", override="garde.1"
    )

    assert (no.value.details.status, no.value.details.code) == (404, "unknown_schedule")
    assert (gone.outcome, gone.end) == ("recorded", NOW)
    apply(database)
    assert seen_by(database, "desk_escalation") == ("jos",)


def test_an_absence_counts_in_every_schedule(
    intake: EventLog, database: Database
) -> None:
    done = takes(intake, "jos", "add_absence", person="jos", end=NOW + 9 * DAY)

    assert (done.change, seen_by(database, "desk_escalation")) == ("jos.1", ("tariq",))


def test_commands_at_the_same_time_are_decided_one_after_the_other(
    intake: EventLog,
) -> None:
    adds: dict[str, Any] = {**BY_TARIQ, "kind": "add", "remove": None}
    with ThreadPoolExecutor(6) as threads:
        answers = list(
            threads.map(
                lambda _: takes(intake, "tariq", "add_override", **adds), range(6)
            )
        )

    assert {each.change for each in answers} == {f"garde.{n}" for n in range(1, 7)}


def test_a_refusal_names_its_field_and_is_journalled(
    intake: EventLog, database: Database
) -> None:
    with pytest.raises(HttpError) as no:
        takes(intake, "tariq", "add_override", **{**BY_TARIQ, "end": NOW - DAY})

    details = no.value.details
    assert (details.status, details.errors[0]["loc"]) == (422, ["end"])
    with (
        closing(EventLog.open(database.owner_dsn)) as owner,
        owner.transaction() as cursor,
    ):
        rows = cursor.execute("SELECT verb, incident FROM intake.refusals").fetchall()
    assert rows == [("on_call.add_override", "garde")]


def test_an_event_of_a_later_version_stops_no_page(
    intake: EventLog, database: Database
) -> None:
    takes(intake, "tariq", "add_override", **BY_TARIQ)
    opened = EventLog.open(database.owner_dsn, master=MASTER, clock=lambda: NOW)
    with closing(opened) as owner:
        write_unknown(owner, on_call_stream("garde"))

    assert seen_by(database, "desk_escalation") == ("tariq",)
    assert takes(intake, "tariq", "add_override", **{
        **BY_TARIQ, "kind": "add", "remove": None, "add": "tariq"
    }).change == "garde.3"  # fmt: skip


def test_no_other_service_changes_a_schedule(
    intake: EventLog, database: Database
) -> None:
    event = OverrideAdded(
        at=NOW, by="person:tariq", override="garde.1", **BY_TARIQ, start=NOW
    )
    for role in ("desk_escalation", "desk_sla_watcher"):
        with (
            closing(EventLog.open(database.dsn(role), clock=lambda: NOW)) as log,
            pytest.raises(InsufficientPrivilege, match="row-level security"),
        ):
            log.record(on_call_stream("garde"), 0, [event])
    with intake.transaction() as cursor:
        policy = policy_now(intake, cursor)
        assert policy is not None
        assert rosters_of(cursor, policy)["garde"].overrides == ()
