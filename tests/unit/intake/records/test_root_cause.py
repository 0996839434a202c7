"""A workaround is no solution: its cause stays open, and coming back tells so."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.domain import events
from shared.domain.commands.incident import Close, Reopen, Resolve
from shared.domain.grace_periods import HOLDS_DAYS
from shared.domain.incident import replay
from tests.unit.intake.commands.scenario import (
    LATER,
    ROUND_THE_CLOCK,
    event,
    given,
    reported,
)
from tests.unit.intake.records.builders import PRB, PRB_2

taken = event(events.IncidentAcknowledged)
workaround = event(events.IncidentRestored, workaround=True)
definite = event(events.IncidentRestored)
left_open = event(events.IncidentResolved, cycle=1, root_cause_open=True)
linked = event(events.IncidentLinked, relation="problem", target=PRB)
unlinked = event(events.IncidentUnlinked, relation="problem", target=PRB)
past = (reported(), taken, workaround, left_open)
LIMIT = timedelta(days=HOLDS_DAYS)
PATIENT = ROUND_THE_CLOCK.model_copy(
    update={
        "desk": ROUND_THE_CLOCK.desk.model_copy(
            update={"reopen_within": timedelta(days=30)}
        )
    }
)


def resolution(*back: Any, cause_removed: bool = False) -> bool:
    wish = Resolve(cause_removed=cause_removed)
    (decided,) = given(reported(), taken, *back).when(wish).events()
    assert isinstance(decided, events.IncidentResolved)
    return decided.root_cause_open


def test_resolving_on_a_workaround_leaves_the_cause_open() -> None:
    assert resolution(workaround)


def test_nothing_is_left_open_where_the_cause_is_gone_as_well() -> None:
    assert not resolution(definite)
    assert not resolution(workaround, cause_removed=True)
    assert not resolution(workaround, event(events.IncidentRelapsed), definite)


@pytest.mark.parametrize(
    ("links", "asks"), [((), True), ((linked,), False), ((linked, unlinked), True)]
)
def test_closing_it_asks_for_a_problem_and_is_done_all_the_same(
    links: tuple[Any, ...], asks: bool
) -> None:
    given(*past, *links).when(Close()).then(
        event(events.IncidentClosed, asks_for_problem=asks)
    )


def reopening(*history: Any, after: timedelta) -> bool:
    when = given(*history).when(Reopen(), at=LATER + after)
    (decided,) = replace(when, policy=PATIENT).events()
    assert isinstance(decided, events.IncidentReopened)
    return decided.quick_fix


def test_coming_back_within_days_shows_that_it_was_a_quick_fix() -> None:
    second = timedelta(seconds=1)

    assert reopening(*past, after=LIMIT)
    assert not reopening(*past, after=LIMIT + second)
    solved = event(events.IncidentResolved, cycle=1)
    assert not reopening(reported(), taken, definite, solved, after=second)


def test_a_linked_problem_looks_for_the_cause_until_it_is_reopened() -> None:
    reopened = event(
        events.IncidentReopened,
        cycle=2,
        cause="user",
        after_closure=False,
        quick_fix=True,
    )
    states = [
        replay(history)
        for history in (past, (*past, linked), (*past, linked, reopened))
    ]

    assert [each.root_cause if each else "" for each in states] == [
        "open",
        "problem",
        None,
    ]


def test_a_resolved_problem_looks_for_nothing_any_more() -> None:
    gone = event(events.IncidentProblemResolved, problem=PRB)
    other = event(events.IncidentLinked, relation="problem", target=PRB_2)
    back = event(events.IncidentReopened, cycle=2, cause="user", after_closure=False)
    again = event(events.IncidentResolved, cycle=2, root_cause_open=True)
    histories: dict[str, tuple[Any, ...]] = {
        "its cause is gone": (linked, gone),
        "another problem still looks": (linked, gone, other),
        "the link was a mistake": (linked, gone, unlinked),
        "it was never part of it": (gone,),
        "it came back": (linked, gone, back, workaround, again),
    }

    found = {name: replay((*past, *later)) for name, later in histories.items()}

    assert {name: each and each.root_cause for name, each in found.items()} == {
        "its cause is gone": None,
        "another problem still looks": "problem",
        "the link was a mistake": "open",
        "it was never part of it": "open",
        "it came back": "open",
    }
