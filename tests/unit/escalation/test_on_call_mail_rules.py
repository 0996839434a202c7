"""Who is sent which mail about being on call, and when."""

from datetime import date, datetime
from typing import Any

import pytest

from services.escalation.on_call.state import KnownGap, Observed, replay
from services.escalation.on_call_mail.change_lines import absence_lines, schedule_lines
from services.escalation.on_call_mail.rules import (
    gap_mails,
    hand_off_mails,
    month_to_state,
)
from shared.domain.events import EVENT_TYPES, is_absence, is_schedule_change
from shared.domain.events.on_call_history import OnCallGapFound, OnCallHandedOver
from shared.domain.on_call.schedule_changes import replay as replay_changes
from shared.domain.on_call.schedule_changes import replay_absences
from tests.support.builders.june_log import june
from tests.support.policies import full

BY = "system:escalation"


def _gap(start: datetime, end: datetime, at: datetime) -> OnCallGapFound:
    return OnCallGapFound(
        at=at,
        by=BY,
        schedule="garde",
        role="primary",
        start=start,
        end=end,
        policy=1,
    )


@pytest.mark.parametrize(
    ("now", "month"),
    [
        (june(1, 5), None),
        (june(1, 7), date(2025, 5, 1)),
        (june(2, 23), date(2025, 5, 1)),
        (june(30, 12), date(2025, 5, 1)),
    ],
)
def test_the_last_month_is_stated_from_the_first_at_eight_on(
    now: datetime, month: date | None
) -> None:
    assert month_to_state(full(), now) == month


def test_a_gap_that_opens_again_is_another_alarm() -> None:
    gap = _gap(june(10), june(11), june(8))
    mails = [*gap_mails([(2, gap), (4, gap)], full(), june(8))]

    assert len({mail.key for mail in mails}) == 2


def test_each_schedule_requests_its_own_mail_about_a_hand_over() -> None:
    events = [
        OnCallHandedOver(
            at=june(9),
            by=BY,
            schedule=schedule,
            role="primary",
            at_instant=june(9),
            outgoing=("ines",),
            incoming=("jos",),
            policy=1,
        )
        for schedule in ("garde", "nuit")
    ]
    keys = {
        mail.key
        for event in events
        for mail in hand_off_mails([event], ["primary"], june(9))
    }

    assert len(keys) == 4  # for two people


def test_gaps_that_ended_are_forgotten() -> None:
    found = [
        _gap(june(2), june(3), june(1)),
        _gap(june(4), june(5), june(3)),
    ]
    observed = replay(Observed("garde", june(1)), found)

    assert observed.gaps == {KnownGap("primary", june(4), june(5))}


def _change(at: datetime, type_: str, by: str, **given: Any) -> Any:
    about = {"at": at, "by": f"person:{by}", **given}
    return EVENT_TYPES[f"on_call.{type_}"].model_validate(about)


def test_changes_are_listed_when_they_take_effect_and_when_they_are_withdrawn() -> None:
    period = {"start": june(20), "end": june(21)}
    swap = {"schedule": "garde", "swap": "garde.1"}
    back = {"other_start": june(22), "other_end": june(23)}
    temporary = {"schedule": "garde", "temporary": "garde.3"}
    events = [
        _change(
            june(1),
            "swap_requested",
            "jos",
            person="jos",
            other="ines",
            **swap,
            **period,
            **back,
        ),
        _change(june(3), "swap_accepted", "ines", **swap),
        _change(
            june(3),
            "temporary_schedule_added",
            "ghislaine",
            shifts=(),
            **temporary,
            **period,
        ),
        _change(june(11), "temporary_schedule_withdrawn", "tariq", **temporary),
    ]
    changes = replay_changes(each for each in events if is_schedule_change(each))

    def listed(start: datetime, end: datetime) -> list[tuple[Any, ...]]:
        return [
            (each.added, each.removed, each.by, each.is_withdrawn)
            for each in schedule_lines("garde", changes, (start, end))
        ]

    assert listed(june(1), june(3)) == []
    assert listed(june(3), june(10)) == [
        ("ines", "jos", "jos", False),
        ("jos", "ines", "jos", False),
        ("", "", "ghislaine", False),
    ]
    assert listed(june(10), june(17)) == [("", "", "tariq", True)]


def test_an_absence_that_is_added_and_withdrawn_in_a_week_is_two_lines() -> None:
    absence = {"person": "ines", "absence": "ines.1"}
    period = {"start": june(20), "end": june(21)}
    events = [
        _change(june(3), "absence_added", "ines", **absence, **period),
        _change(june(4), "absence_withdrawn", "ghislaine", **absence),
    ]
    held = replay_absences(each for each in events if is_absence(each))
    lines = [*absence_lines(held.values(), (june(2), june(9)))]

    assert [(each.absent, each.by) for each in lines] == [
        ("ines", "ines"),
        ("ines", "ghislaine"),
    ]
