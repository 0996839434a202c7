"""`permanence config` with iCalendar files beside the policy: dates in the event."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.intake.policy import store as policy_store
from services.intake.policy.store import Applied, Signature
from shared.domain.policy.calendars import Calendar
from shared.domain.policy.document import Policy
from shared.eventlog.log import EventLog
from tests.integration.policy.test_command_line import SIGNED, run, written
from tests.support.policies import FULL, full_text
from tests.support.servers.servers import Database
from tests.unit.policy.test_closing_files import file

NOW = datetime(2025, 7, 1, 6, tzinfo=UTC)
NAMED = full_text(("    public_holidays: BE", "    closed_in: [ville/fermetures.ics]"))
BRIDGE = "DTSTART;VALUE=DATE:20300510\nSUMMARY:Pont"


def beside(folder: Path, *events: str) -> Path:
    """Return a policy that names a file of events, which lies beside it."""
    (folder / "ville").mkdir(exist_ok=True)
    written(folder / "ville", file(*events), "fermetures.ics")
    return written(folder, NAMED)


def test_a_file_is_found_from_where_the_policy_lies(tmp_path: Path) -> None:
    policy = beside(tmp_path, BRIDGE, "DTSTART;VALUE=DATE:20300511")

    said = run("config", "check", policy)

    assert said.code == 0
    assert "Calendar jour: 4 closed dates as of now, with those in" in said.out
    assert run("config", "check", policy, "--json").plain["closed"]["jour"] == 4


def test_a_file_that_is_wrong_or_not_there_is_told_with_its_line(
    tmp_path: Path,
) -> None:
    policy = beside(tmp_path, "SUMMARY:Pont")

    said = run("config", "check", policy)
    assert said.code == 2
    assert "calendars.jour.closed_in[0]: ville/fermetures.ics: event `Pont`" in said.err
    (mistake,) = run("config", "check", policy, "--json").plain["mistakes"]
    assert mistake["line"] == 15

    (tmp_path / "ville" / "fermetures.ics").unlink()
    said = run("config", "check", policy)
    assert said.code == 2
    assert "fermetures.ics: No such file or directory: name a file" in said.err


def test_a_calendar_that_a_file_closes_altogether_is_refused(tmp_path: Path) -> None:
    policy = beside(tmp_path, "DTSTART;VALUE=DATE:20200101\nRRULE:FREQ=DAILY")

    said = run("config", "check", policy)

    assert said.code == 2
    assert "line 12: calendars.jour: never open from" in said.err


@pytest.mark.servers
def test_what_was_applied_stays_when_the_file_changes(
    database: Database, tmp_path: Path
) -> None:
    url = database.dsn("desk_admin")
    policy = beside(tmp_path, BRIDGE)
    assert run("config", "apply", policy, *SIGNED, DATABASE_URL=url).code == 0

    beside(tmp_path, "DTSTART;VALUE=DATE:20300517")

    assert "2030-05-10" in in_force(url).holidays
    said = run("config", "diff", policy, DATABASE_URL=url)
    assert said.code == 1
    assert "2030-05-17" in said.out
    assert run("config", "apply", policy, *SIGNED, DATABASE_URL=url).code == 0
    assert "2030-05-10" not in in_force(url).holidays


@pytest.mark.servers
def test_where_only_the_text_comes_it_is_said_what_to_do(database: Database) -> None:
    log = EventLog.open(database.dsn("desk_admin"), pool_size=1)
    signature = Signature(by="ghislaine", reason="first one")
    try:
        refused = policy_store.apply(log, NAMED, signature, NOW)
        assert isinstance(refused, list)
        (mistake,) = refused
        assert (mistake.path, mistake.line) == ("calendars.jour.closed_in[0]", 15)
        assert "apply it with `permanence config apply FILE`" in mistake.sentence
        assert log.head().position == 0
        assert isinstance(policy_store.apply(log, FULL, signature, NOW), Applied)
    finally:
        log.close()


def in_force(url: str) -> Calendar:
    log = EventLog.open(url, pool_size=1)
    try:
        now = policy_store.current(log)
        assert now is not None
        policy: Policy = now[1]
        return policy.calendars["jour"]
    finally:
        log.close()
