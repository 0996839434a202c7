"""Every event type is decided about: it needs an auditor's judgement or not."""

from pathlib import Path

import pytest

from services.projections.audit.kinds import (
    JUDGED,
    KINDS,
    OUTSIDE,
    ROUTINE,
    Judged,
    judged_of,
)
from services.projections.audit.verifications import (
    Kept,
    Verification,
    verified_upto,
)
from shared.database import migrate
from shared.domain.events import EVENT_TYPES
from tests.support.strategies.histories import START

JUDGED_TYPES = {each.type for each in JUDGED}


def test_every_event_type_is_judged_or_routine() -> None:
    assert set(EVENT_TYPES) == JUDGED_TYPES | ROUTINE, (
        "decide in services/projections/audit/kinds.py whether it needs judgement"
    )
    assert not JUDGED_TYPES & ROUTINE


def test_every_kind_has_a_source() -> None:
    assert {each.kind for each in JUDGED} | set(OUTSIDE) == set(KINDS)
    assert all(judged_of(kind) == [] for kind in OUTSIDE)


@pytest.mark.parametrize("judged", JUDGED, ids=lambda each: f"{each.kind} {each.type}")
def test_the_named_fields_exist_and_an_index_finds_the_type(judged: Judged) -> None:
    fields = EVENT_TYPES[judged.type].model_fields
    named = {judged.reason, judged.effective, judged.subject} - {None}
    folder = Path(migrate.__file__).parent / "migrations"
    indexes = [*folder.glob("0123_*.sql"), *folder.glob("0025_*.sql")]

    assert named <= fields.keys() | {"reason"}
    assert any(f"'{judged.type}'" in each.read_text("utf-8") for each in indexes)


def _part(after: int, upto: int, finding: str | None = None) -> Verification:
    found_at = upto + 1 if finding else None
    return Verification(START, None, after, upto, bytes(32), finding, found_at)


@pytest.mark.parametrize(
    ("kept", "upto"),
    [
        ([], 0),
        ([Kept(_part(0, 10), True)], 10),
        ([Kept(_part(10, 20), True), Kept(_part(0, 10), True)], 20),
        ([Kept(_part(0, 10), True), Kept(_part(11, 20), True)], 10),
        ([Kept(_part(0, 30), True), Kept(_part(5, 20), True)], 30),
        ([Kept(_part(0, 10), False), Kept(_part(10, 20), True)], 0),
        ([Kept(_part(0, 10, "altered"), True)], 0),
    ],
)
def test_only_parts_without_a_gap_that_the_log_still_has_count(
    kept: list[Kept], upto: int
) -> None:
    assert verified_upto(kept) == upto
