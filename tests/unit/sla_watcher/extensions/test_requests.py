"""More time is asked for where there is a promise to extend and somebody to ask."""

from typing import Any

import pytest

from shared.domain.commands.sla import ProposeExtension
from shared.domain.events.incident import IncidentRestored
from tests.support.builders.extensions import E1, extended, payroll, refusal, states
from tests.support.builders.promises import INCIDENT, Watch, local, shown


def test_several_come_one_after_the_other_each_later_than_the_one_before() -> None:
    watch = extended()

    assert "not later" in refusal(lambda: watch.proposes("14:10", "18:00")).reason
    assert watch.proposes("14:10", "07-01 12:00") == f"{INCIDENT}-E2"
    no = refusal(lambda: watch.proposes("14:20", "07-01 14:00"))
    assert (no.code, "E2 is not answered yet" in no.reason) == ("state", True)
    watch.accepts("14:30", f"{INCIDENT}-E2")

    assert states(watch) == ["accepted", "accepted"]
    assert shown(watch.clock("ttr").due_at) == "07-01 12:00"
    assert watch.clock("ttr").original_seconds == 6 * 3_600


@pytest.mark.parametrize(
    ("until", "code", "word"),
    [
        ("15:10", "state", "not later"),
        ("13:00", "state", "not later"),
        ("09-30 10:00", None, ""),
    ],
)
def test_only_what_is_later_is_a_longer_delay(
    until: str, code: str | None, word: str
) -> None:
    watch = payroll()

    if code is None:
        assert watch.proposes("14:00", until) == E1
    else:
        no = refusal(lambda: watch.proposes("14:00", until))
        assert (no.code, word in no.reason) == (code, True)


def test_an_instant_that_gives_no_more_open_hours_is_no_longer_delay() -> None:
    watch = payroll(reported_at=local("12:00"))

    assert shown(watch.clock("ttr").due_at) == "18:00"
    no = refusal(lambda: watch.proposes("14:00", "20:00"))
    assert (no.code, "no more open hours" in no.reason) == ("state", True)


def test_nobody_agrees_to_a_delay_of_years() -> None:
    late = ProposeExtension(new_due_at=local("09:10").replace(year=2027), reason="x")

    no = refusal(lambda: payroll().asks("14:00", late))

    assert (no.code, "366 days" in no.reason) == ("invalid", True)


@pytest.mark.parametrize("target", ["tto", "update"])
def test_only_the_time_to_resolve_is_extended(target: Any) -> None:
    wish = ProposeExtension(target=target, new_due_at=local("18:00"), reason="x")

    no = refusal(lambda: payroll().asks("09:20", wish))

    assert (no.code, target in no.reason) == ("invalid", True)


def test_what_is_over_or_was_never_promised_is_not_extended() -> None:
    over = payroll()
    over.happens("10:00", IncidentRestored)
    unpromised = Watch()
    unpromised.opened("09:10", service="unknown")

    assert "over (met)" in refusal(lambda: over.proposes("11:00", "18:00")).reason
    no = refusal(lambda: unpromised.proposes("11:00", "18:00"))
    assert (no.code, "nothing was promised" in no.reason) == ("state", True)


def test_where_nobody_reported_it_there_is_nobody_to_ask() -> None:
    watch = Watch()
    watch.opened("09:10", reporter=None, origin="monitoring", by="source:zabbix")

    assert "nobody to ask" in refusal(lambda: watch.proposes("10:00", "18:00")).reason


def test_only_people_ask() -> None:
    wish = ProposeExtension(new_due_at=local("18:00"), reason="x")

    no = refusal(lambda: payroll().asks("10:00", wish, "source:zabbix"))

    assert no.code == "role"


@pytest.mark.parametrize("answer_by", ["13:59", "14:00", "07-01 10:01"])
def test_there_must_be_time_to_answer(answer_by: str) -> None:
    no = refusal(lambda: payroll().proposes("14:00", "07-01 10:00", answer_by))

    assert (no.code, "answer_by" in no.reason) == ("invalid", True)
