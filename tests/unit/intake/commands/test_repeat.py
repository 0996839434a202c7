"""What is so already happens no second time, and nothing that is said is lost."""

from typing import Any

import pytest

from shared.domain import events
from shared.domain.commands.incident import (
    Cancel,
    Close,
    IncidentCommand,
    Relapse,
    Reopen,
    Resolve,
    Restore,
)
from tests.unit.intake.commands.scenario import OTHER, event, given, opened

SAID, MORE = "swapped the card", "the cable as well"
taken = event(events.IncidentAcknowledged)
restored = event(events.IncidentRestored, note=SAID)
resolved = event(events.IncidentResolved, cycle=1, note=SAID)
closed = event(events.IncidentClosed, note=SAID)
cancelled = event(events.IncidentCancelled, reason="test", note=SAID)
reopened = event(
    events.IncidentReopened, cycle=2, cause="user", reason=SAID, after_closure=False
)
at_work = (opened(), taken)
ENDS: list[
    tuple[tuple[events.IncidentEvent, ...], type[IncidentCommand], str, dict[str, Any]]
] = [
    ((*at_work, restored), Restore, "note", {}),
    ((*at_work, restored, resolved), Restore, "note", {}),
    ((*at_work, restored, resolved), Resolve, "note", {}),
    ((*at_work, restored, resolved, closed), Resolve, "note", {}),
    ((*at_work, restored, resolved, closed), Close, "note", {}),
    ((*at_work, restored, resolved, reopened), Reopen, "reason", {}),
    ((opened(), cancelled), Cancel, "note", {"reason": "test"}),
]
every_end = pytest.mark.parametrize(("past", "kind", "words", "rest"), ENDS)


@every_end
def test_the_same_again_is_so_already(
    past: tuple[events.IncidentEvent, ...],
    kind: type[IncidentCommand],
    words: str,
    rest: dict[str, Any],
) -> None:
    given(*past).when(kind(**rest)).then()
    given(*past).when(kind(**rest, **{words: SAID}), by="person:wim").then()


@every_end
def test_other_words_are_noted_beside_the_first_once(
    past: tuple[events.IncidentEvent, ...],
    kind: type[IncidentCommand],
    words: str,
    rest: dict[str, Any],
) -> None:
    wish = kind(**rest, **{words: MORE})
    added = event(events.IncidentNoteAdded, about=wish.verb, note=MORE)

    given(*past).when(wish).then(added)
    given(*past, added).when(wish).then()
    given(*past, added).when(kind(**rest, **{words: SAID})).then()


def test_words_that_come_after_a_machine_said_so_are_noted_too() -> None:
    by_itself = (
        opened(),
        event(events.IncidentRestored),
        event(events.IncidentResolved, cycle=1),
    )

    given(*by_itself).when(Resolve(note=MORE)).then_types("note_added")


def test_that_it_is_down_is_noted_though_it_never_was_back() -> None:
    given(*at_work).when(Relapse(reason=MORE)).then_types("note_added")
    given(*at_work).when(Relapse()).then()


def test_a_solution_note_that_comes_late_is_kept() -> None:
    past = (*at_work, restored, resolved)

    given(*past).when(Resolve(solution_note=MORE)).then(
        event(events.IncidentSolutionNoted, service="billetterie", note=MORE)
    )


@pytest.mark.parametrize(
    ("past", "wish", "why"),
    [
        ((*at_work, restored), Restore(workaround=True), "not by a workaround"),
        (
            (
                *at_work,
                event(events.IncidentRestored, workaround=True),
                event(events.IncidentResolved, cycle=1, root_cause_open=True),
            ),
            Resolve(cause_removed=True),
            "root cause is open",
        ),
        (
            (*at_work, restored, resolved),
            Resolve(solution=OTHER),
            "without a solution note",
        ),
        ((opened(), cancelled), Cancel(reason="duplicate"), "with the reason `test`"),
    ],
)
def test_what_contradicts_the_record_is_refused(
    past: tuple[events.IncidentEvent, ...], wish: IncidentCommand, why: str
) -> None:
    given(*past).when(wish).then_refused(why)
