"""Shifts of a file are imported: once, again with a difference, or by nobody else."""

from datetime import timedelta
from typing import Any

import pytest

from services.intake.on_call.rules.imports import BYTES_MAX
from shared.domain.events.on_call import (
    OnCallEvent,
    TemporaryScheduleAdded,
    TemporaryScheduleWithdrawn,
)
from shared.domain.refusal import Refused
from tests.support.builders.on_call.changes import DAY, NOW, Changes


def shift(person: str, start: float, end: float) -> dict[str, Any]:
    return {"people": [person], "start": NOW + start * DAY, "end": NOW + end * DAY}


TWO = [shift("chloe", 1, 2), shift("amina", 2, 3)]


def imports(desk: Changes, shifts: list[dict[str, Any]], **more: Any) -> Any:
    body: dict[str, Any] = {"name": "holidays", "end": 30, "shifts": shifts} | more
    return desk.says("sylvie", "import_shifts", **body)


def kinds(events: list[OnCallEvent]) -> list[type[OnCallEvent]]:
    return [type(each) for each in events]


def test_the_shifts_of_a_file_count_and_the_layers_beside_them() -> None:
    desk = Changes()

    (event,) = imports(desk, TWO)

    assert event.imported_as == "holidays"
    assert [desk.on_call(day) for day in (0.5, 1.5, 2.5, 3.5)] == [
        ("bruno",),
        ("chloe",),
        ("amina",),
        ("bruno",),
    ]


def test_an_import_that_is_repeated_changes_nothing_also_when_a_part_has_passed() -> (
    None
):
    desk = Changes()
    imports(desk, TWO)

    assert imports(desk, TWO) == []
    desk.now = NOW + 1.5 * DAY
    assert imports(desk, TWO) == []


def test_an_import_replaces_what_the_same_name_gave_and_nothing_else() -> None:
    desk = Changes()
    imports(desk, [shift("amina", 5, 6)], name="other")
    imports(desk, TWO)

    events = imports(desk, [shift("amina", 1, 2)])

    assert kinds(events) == [TemporaryScheduleAdded, TemporaryScheduleWithdrawn]
    assert events[1].temporary == "astreinte.2"
    assert [desk.on_call(day) for day in (1.5, 2.5, 5.5)] == [
        ("amina",),
        ("bruno",),
        ("amina",),
    ]


def test_people_whose_shifts_overlap_are_on_call_together() -> None:
    desk = Changes()

    (event,) = imports(desk, [shift("chloe", 1, 3), shift("amina", 2, 4)])

    assert [each.people for each in event.shifts] == [
        ("chloe",),
        ("amina", "chloe"),
        ("amina",),
    ]


def test_a_long_file_becomes_several_events_that_the_log_takes() -> None:
    desk = Changes()
    names = ["chloe", "amina"]
    hours = [shift(names[n % 2], n / 24, (n + 1) / 24) for n in range(720)]

    events = imports(desk, hours)

    assert [len(each.shifts) for each in events] == [200, 200, 200, 120]
    assert [each.temporary for each in events][:2] == ["astreinte.1", "astreinte.2"]
    assert max(len(each.model_dump_json()) for each in events) < BYTES_MAX
    half = 0.5 / 24
    assert [desk.on_call(n / 24 + half) for n in (199, 200)] == [("amina",), ("chloe",)]


@pytest.mark.parametrize(
    ("body", "code", "sentence"),
    [
        ({"shifts": [shift("chloe", 2, 1)]}, "invalid", "it ends before it begins"),
        ({"shifts": [shift("chloe", 40, 41)]}, "invalid", "none of the shifts is in"),
        ({"end": 367}, "invalid", "it lasts more than 366 days"),
        ({"strangers": ["chloe"]}, "invalid", "chloe"),
    ],
)
def test_an_import_that_cannot_be_is_refused_whole(
    body: dict[str, Any], code: str, sentence: str
) -> None:
    desk = Changes()

    with pytest.raises(Refused, match=sentence) as no:
        imports(desk, TWO, **body) if "shifts" not in body else imports(desk, **body)

    assert no.value.code == code
    assert desk.version == 0


def test_only_managers_import() -> None:
    body: dict[str, Any] = {"name": "holidays", "end": 30, "shifts": TWO}
    with pytest.raises(Refused, match="people change their own shifts only"):
        Changes().says("chloe", "import_shifts", **body)


def test_more_people_at_once_than_a_shift_may_have_are_refused() -> None:
    crowd = [
        {
            "people": [f"p{n}-{m}" for m in range(20)],
            "start": NOW + timedelta(days=1),
            "end": NOW + timedelta(days=2),
        }
        for n in range(2)
    ]
    with pytest.raises(Refused, match="more than 20 people would be on call at once"):
        imports(Changes(), crowd)
