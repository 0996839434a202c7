"""Signals of different troubles that agree belong to one incident."""

from datetime import timedelta

from shared.domain.commands.incident import Merge, Open, Split, Unmerge
from shared.domain.events.incident import IncidentOpened
from shared.domain.events.incident_signals import IncidentSignalled
from shared.domain.incident import AT_WORK
from tests.unit.intake.signals.alert_desk import (
    A_MINUTE,
    A_SECOND,
    FIRST,
    K1,
    RESOLVE,
    SECOND,
    Trouble,
    at_desk,
    types,
)

TOGETHER = ", correlate: {by: [service, labels.site], within: 10m}"
THREE = ", correlate: {by: [service], within: 10m, threshold: 3}"
SITE = {"site": "lyon"}
WITHIN = timedelta(minutes=10)
THIRD = "INC-001002"


def hears(trouble: Trouble, key: str, action: str = "trigger", **said: object) -> str:
    """Let a trouble of the same site say something; return its outcome."""
    usual = {"service": "horaires", "labels": SITE}
    heard = trouble.hears(action, dedup_key=key, **{**usual, **said})
    return f"{heard.outcome} {heard.row.incident or '-'}"


def test_what_agrees_joins_the_incident_and_says_what_it_is() -> None:
    trouble = at_desk(TOGETHER)
    hears(trouble, "k1")
    assert hears(trouble, "k2") == f"signalled {FIRST}"

    joined = trouble.desk.log[-1]
    assert isinstance(joined, IncidentSignalled)
    assert (joined.rule, joined.rule_of) == ("correlated", "service, labels.site")
    assert (joined.dedup_key, joined.whose) == ("k2", "source:prom")
    assert len(trouble.incident.signals) == 2


def test_what_differs_in_one_of_them_does_not() -> None:
    trouble = at_desk(TOGETHER)
    hears(trouble, "k1")

    assert hears(trouble, "k2", labels={"site": "nice"}) == f"opened {SECOND}"
    assert hears(trouble, "k3", service="billetterie") == f"opened {THIRD}"


def test_what_lacks_one_of_them_stands_alone() -> None:
    trouble = at_desk(TOGETHER)
    hears(trouble, "k1", labels={})

    assert hears(trouble, "k2", labels={}) == f"opened {SECOND}"


def test_the_window_slides_with_every_signal_also_with_repeats() -> None:
    trouble = at_desk(TOGETHER)
    hears(trouble, "k1")
    trouble.later(WITHIN)
    assert hears(trouble, "k1").endswith(FIRST)
    trouble.later(WITHIN)
    assert hears(trouble, "k2") == f"signalled {FIRST}"


def test_after_the_window_it_is_another_incident() -> None:
    trouble = at_desk(TOGETHER)
    hears(trouble, "k1")
    trouble.later(WITHIN + A_SECOND)
    assert hears(trouble, "k2") == f"opened {SECOND}"

    assert hears(trouble, "k1").endswith(FIRST)
    assert hears(trouble, "k3") == f"signalled {SECOND}"


def test_it_is_over_when_none_of_them_fires_any_more() -> None:
    trouble = at_desk(TOGETHER)
    hears(trouble, "k1")
    hears(trouble, "k2")

    # Recoveries often come with fewer labels.
    trouble.hears("resolve", dedup_key="k2")
    assert trouble.incident.status in AT_WORK
    assert types(trouble.hears("resolve")) == ["recovered", "restored", "resolved"]


def test_what_comes_when_it_is_over_opens_the_next() -> None:
    trouble = at_desk(TOGETHER)
    hears(trouble, "k1")
    hears(trouble, "k1", "resolve")
    assert hears(trouble, "k2") == f"opened {SECOND}"

    # One incident a group: the first one's trouble joins, it does not reopen.
    assert hears(trouble, "k1") == f"signalled {SECOND}"


def test_it_follows_a_merging_and_the_undoing_of_it() -> None:
    trouble = at_desk(TOGETHER)
    hears(trouble, "k1")
    trouble.wishes(Open(title="seen in passing"), "INC-000007")
    trouble.wishes(Merge(into="INC-000007"))
    assert hears(trouble, "k2") == "signalled INC-000007"

    trouble.wishes(Unmerge())
    assert hears(trouble, "k3") == f"signalled {FIRST}"


def test_what_was_split_off_is_not_pulled_back() -> None:
    trouble = at_desk(TOGETHER)
    hears(trouble, "k1")
    hears(trouble, "k2")
    apart = next(key for key in trouble.incident.signals if key != K1)
    split = Split(title="another story", signal_keys=(apart,))
    trouble.desk.take(trouble.command(split, FIRST, new="INC-000500"))

    assert hears(trouble, "k2") == "duplicate INC-000500"
    trouble.wishes(RESOLVE, "INC-000500")
    assert hears(trouble, "k2") == "signalled INC-000500"
    assert hears(trouble, "k3") == f"signalled {FIRST}"


def test_under_the_threshold_they_are_held_and_at_it_all_join() -> None:
    trouble = at_desk(THREE)
    assert hears(trouble, "k1") == "held -"
    assert hears(trouble, "k2") == "held -"
    assert hears(trouble, "k1") == "held -"
    assert not trouble.desk.log

    assert hears(trouble, "k3") == f"opened {FIRST}"
    opened = trouble.desk.log[0]
    assert isinstance(opened, IncidentOpened)
    assert (opened.rule, opened.rule_of) == ("threshold", "3 in 10m")
    assert len(trouble.desk.incidents[FIRST].signals) == 3
    assert {row.incident for row in trouble.desk.rows.values()} == {FIRST}
    assert hears(trouble, "k4") == f"signalled {FIRST}"


def test_only_what_fired_within_the_time_counts() -> None:
    trouble = at_desk(THREE)
    hears(trouble, "k1")
    trouble.later(WITHIN + A_SECOND)
    hears(trouble, "k2")
    assert hears(trouble, "k3") == "held -"

    # It fires still, and says so.
    assert hears(trouble, "k1") == f"opened {FIRST}"


def test_what_recovers_before_the_threshold_no_longer_counts() -> None:
    trouble = at_desk(THREE)
    hears(trouble, "k1")
    heard = trouble.later(A_MINUTE).hears("resolve")
    hears(trouble, "k2")

    assert (heard.outcome, heard.rule) == ("suppressed", "threshold")
    assert hears(trouble, "k3") == "held -"
    told = [(each.action, each.why.code) for each in trouble.desk.suppressed]
    assert told == [("trigger", "threshold"), ("resolve", "threshold")]
