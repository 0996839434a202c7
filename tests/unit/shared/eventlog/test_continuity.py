"""Which of the things seen of a log contradict the log as it is now."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from shared.eventlog.continuity.check import (
    EVIDENCE_MAX,
    Continuity,
    LogSnapshot,
    contradicts,
)
from shared.eventlog.continuity.evidence import FIRST, EpochId, Evidence, Mark
from shared.eventlog.recorder import Head

SEEN = Mark(14, bytes(32))
SECOND, ANOTHER_SECOND, THIRD = EpochId(2, "aa"), EpochId(2, "bb"), EpochId(3, "cc")


@dataclass(frozen=True)
class Case:
    """What was seen in which epoch, and the log it is compared with."""

    seen: EpochId
    log: EpochId
    contained: bool
    restored: int = 0
    """The last epoch that a restore began; the others began by promotion."""


def sight(case: Case) -> LogSnapshot:
    head = Head(20, datetime(2026, 12, 1, tzinfo=UTC), bytes(32), None)
    return LogSnapshot(head, case.log, case.restored, (), [case.contained])


@pytest.mark.parametrize(
    "case",
    [
        Case(FIRST, FIRST, contained=True),
        Case(SECOND, SECOND, contained=True, restored=2),
        Case(FIRST, SECOND, contained=True),
        Case(FIRST, SECOND, contained=False, restored=2),
        Case(SECOND, THIRD, contained=False, restored=3),
        Case(FIRST, THIRD, contained=False, restored=2),
    ],
    ids=str,
)
def test_what_the_log_contains_or_a_restore_has_ended_is_no_contradiction(
    case: Case,
) -> None:
    evidence = Evidence(SEEN, case.seen, "NATS")
    assert not contradicts(evidence, sight(case), {SEEN: case.contained})


@pytest.mark.parametrize(
    "case",
    [
        Case(FIRST, FIRST, contained=False),
        Case(SECOND, FIRST, contained=True),
        Case(SECOND, ANOTHER_SECOND, contained=True, restored=2),
        Case(SECOND, SECOND, contained=False, restored=2),
        Case(FIRST, SECOND, contained=False),
        Case(SECOND, THIRD, contained=False, restored=2),
    ],
    ids=str,
)
def test_what_the_log_lacks_contradicts_it_unless_it_was_restored_since(
    case: Case,
) -> None:
    evidence = Evidence(SEEN, case.seen, "NATS")
    assert contradicts(evidence, sight(case), {SEEN: case.contained})


def test_evidence_that_was_not_judged_is_never_replaced_by_more() -> None:
    continuity = Continuity()
    first, *others = (
        Evidence(Mark(number, bytes(32)), FIRST, "NATS")
        for number in range(1, EVIDENCE_MAX + 2)
    )
    assert continuity.expect(first)
    assert [continuity.expect(each) for each in others][-2:] == [True, False]
    assert continuity.misses(first)
    assert continuity.expect(first._replace(witness="a file")), "the same event"
