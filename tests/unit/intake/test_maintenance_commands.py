"""Work announced by a command: what may be announced, and what becomes of it."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from services.intake.policy.windows import (
    LONGEST,
    Announce,
    Withdraw,
    announced,
    book,
    cancelled,
    windows,
)
from shared.domain.events.administration import (
    MaintenanceAnnounced,
    MaintenanceCancelled,
)
from shared.domain.refusal import Refused
from tests.unit.intake.commands.scenario import NINE, ODETTE, POLICY

HOUR = timedelta(hours=1)
ONE = "MNT-000001"


def announce(**said: object) -> MaintenanceAnnounced:
    usual = {"service": "horaires", "duration": "1h", "reason": "a new disk"}
    wish = Announce.model_validate({**usual, **said})
    return announced(wish, ONE, NINE, ODETTE, POLICY)


def test_work_begins_now_where_nothing_else_is_said() -> None:
    event = announce()

    assert (event.start, event.until) == (NINE, NINE + HOUR)
    assert (event.window, event.whose) == (ONE, ODETTE)


@pytest.mark.parametrize(
    ("said", "because"),
    [
        ({"service": "fax"}, "fax"),
        ({"start": NINE - 2 * HOUR}, "over already"),
        ({"duration": None, "end": NINE, "start": NINE + HOUR}, "before it starts"),
        ({"duration": None, "end": NINE + LONGEST + HOUR}, "shorten it"),
        ({"start": NINE + timedelta(days=400)}, "ahead"),
    ],
)
def test_what_cannot_be_is_refused(said: dict[str, object], because: str) -> None:
    with pytest.raises(Refused, match=because):
        announce(**said)


@pytest.mark.parametrize("said", [{"end": NINE + HOUR}, {"duration": None}])
def test_it_has_one_end(said: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="either `end` or `duration`"):
        announce(**said)


def test_a_cancelled_one_is_no_window_any_more() -> None:
    event = announce()
    held = book([event])
    assert [name for name, _ in windows(held)] == ["horaires"]

    no = cancelled(Withdraw(), ONE, held, NINE, ODETTE)
    assert isinstance(no, MaintenanceCancelled)
    after = book([event, no])
    assert windows(after) == []
    assert cancelled(Withdraw(), ONE, after, NINE, ODETTE) is None


def test_what_is_over_or_was_never_announced_cannot_be_cancelled() -> None:
    held = book([announce()])

    with pytest.raises(Refused, match="is over"):
        cancelled(Withdraw(), ONE, held, NINE + HOUR, ODETTE)
    with pytest.raises(Refused, match="there is no maintenance"):
        cancelled(Withdraw(), "MNT-000002", held, NINE, ODETTE)
