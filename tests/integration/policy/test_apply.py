"""A policy in the log: applied once, numbered, read back by its number."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta

import pytest
from pydantic import ValidationError

from services.intake.policy import store as policy_store
from services.intake.policy.expansion import Files, expanded
from services.intake.policy.store import Applied, Policies, Signature
from shared.domain.events.administration import STREAM, PolicyApplied
from shared.domain.policy.document import Policy
from shared.eventlog.errors import StaleVersion
from shared.eventlog.log import EventLog
from shared.eventlog.policies import PolicyVersions
from shared.mistake import Mistake, Wrong
from tests.support.policies import FULL, full_text
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

NOW = datetime(2025, 7, 1, 6, tzinfo=UTC)
SIGNED = Signature(by="ghislaine", reason="first one", approved_by="direction")


@pytest.fixture
def log(database: Database) -> Iterator[EventLog]:
    log = EventLog.open(database.dsn("desk_admin"), clock=lambda: NOW, pool_size=1)
    yield log
    log.close()


def applied(log: EventLog, text: str, now: datetime = NOW) -> Applied:
    done = policy_store.apply(log, text, SIGNED, now)
    assert isinstance(done, Applied), done
    return done


def at_version(log: EventLog, version: int) -> Policy:
    return PolicyVersions(log)(version)


def test_before_the_first_there_is_none(log: EventLog) -> None:
    assert policy_store.current(log) is None
    with pytest.raises(LookupError, match="no policy version 1"):
        at_version(log, 1)


def test_an_applied_policy_is_in_force_expanded_and_signed(log: EventLog) -> None:
    done = applied(log, FULL)
    assert (done.version, bool(done.changes)) == (1, True)
    assert policy_store.current(log) == (1, done.policy)
    assert "2025-07-21" in done.policy.calendars["jour"].holidays
    (entry,) = log.history(STREAM)
    event = entry.event
    assert isinstance(event, PolicyApplied)
    assert (event.by, event.reason) == ("person:ghislaine", "first one")
    assert (event.approved_by, event.purpose) == ("direction", "live")
    assert event.at == NOW


def test_it_is_read_by_who_holds_the_last_connection(
    log: EventLog, database: Database
) -> None:
    first = applied(log, FULL)
    narrow = EventLog.open(database.dsn("desk_intake"), pool_size=1)
    with closing(narrow), narrow.transaction() as cursor:
        assert Policies(narrow).current(cursor) == (1, first.policy)


def test_the_same_policy_in_other_words_appends_nothing(log: EventLog) -> None:
    applied(log, FULL)
    again = applied(log, "# a comment\n" + full_text((": 12h\n", ": 720m\n")))
    assert (again.version, again.changes) == (1, ())
    assert log.head_version(STREAM) == 1


def test_each_version_is_kept_as_it_was(log: EventLog) -> None:
    first = applied(log, FULL)
    second = applied(log, full_text(("p2: 5h", "p2: 4h")))
    assert [change.after for change in second.changes] == ["4h"]
    assert policy_store.current(log) == (2, second.policy)
    assert at_version(log, 1) == first.policy
    assert at_version(log, 2) == second.policy


def test_next_year_the_same_text_brings_that_years_holidays(log: EventLog) -> None:
    applied(log, FULL)
    later = applied(log, FULL, NOW + timedelta(days=365))
    assert later.version == 2
    assert {change.path[2] for change in later.changes} == {"holidays"}


def test_a_wrong_policy_changes_nothing(log: EventLog) -> None:
    applied(log, FULL)
    done = policy_store.apply(log, full_text(("p2: 5h", "p2: 5d")), SIGNED, NOW)
    assert isinstance(done, list)
    assert log.head_version(STREAM) == 1


def test_who_comes_second_is_told_and_nothing_is_done(
    log: EventLog, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = EventLog.open(database.dsn("desk_admin"), pool_size=1)

    def while_another_applies(
        policy: Policy, on: date, files: Files
    ) -> Policy | list[Wrong]:
        """Between our reading and our writing, another admin applies a policy."""
        monkeypatch.setattr(policy_store, "expanded", expanded)
        applied(other, full_text(("p2: 5h", "p2: 4h")))
        return expanded(policy, on, files)

    monkeypatch.setattr(policy_store, "expanded", while_another_applies)
    with pytest.raises(StaleVersion):
        policy_store.apply(log, FULL, SIGNED, NOW)
    assert log.head_version(STREAM) == 1
    assert at_version(log, 1).targets["or"].ttr.p2 == timedelta(hours=4)
    other.close()


def test_the_first_policy_says_what_the_log_is_for(log: EventLog) -> None:
    policy_store.apply(log, FULL, SIGNED, NOW, "demo")
    text = full_text(("p2: 5h", "p2: 4h"))
    refused = policy_store.apply(log, text, SIGNED, NOW, "live")
    assert isinstance(refused, list)
    assert isinstance(refused[0], Mistake)
    assert "this log is for `demo`" in refused[0].sentence
    assert applied(log, text).version == 2
    events = [entry.event for entry in log.history(STREAM)]
    purposes = [e.purpose for e in events if isinstance(e, PolicyApplied)]
    assert purposes == ["demo", "demo"]


@pytest.mark.parametrize(
    "wrong",
    [{"reason": "  "}, {"reason": "ask odette@transport.example"}, {"by": "a b"},
     {"approved_by": "direction@transport.example"}, {"reason": "x" * 501}],
)  # fmt: skip
def test_a_signature_is_people_by_id_and_a_reason_that_may_be_kept(
    wrong: dict[str, str],
) -> None:
    with pytest.raises(ValidationError):
        Signature.model_validate({"by": "ghislaine", "reason": "why", **wrong})
