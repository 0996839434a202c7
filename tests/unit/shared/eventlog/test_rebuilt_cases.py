"""A case whose memory is rebuilt takes the log's word for what was decided."""

from shared.domain.events.sla import SlaArmed
from shared.domain.identifiers import sla_stream
from tests.support.builders.promises import INCIDENT, Watch

STREAM = sla_stream(INCIDENT)


def opened(said: SlaArmed | None = None) -> Watch:
    """Return the case after it was opened, the log saying already what came first."""
    watch = Watch()
    if said is not None:
        watch.desk.said[STREAM, 1] = said
    watch.opened("09:10")
    return watch


def test_what_other_rules_decided_first_stands_and_the_rest_follows() -> None:
    by_todays_rules = [event for _, _, event in opened().desk.decided]
    assert [event.type for event in by_todays_rules] == ["sla.armed"] * 3
    only_ttr = by_todays_rules[1]
    assert isinstance(only_ttr, SlaArmed)

    watch = opened(only_ttr)

    assert watch.desk.case is not None
    assert [c.name.target for c in watch.desk.case.clocks] == ["ttr", "tto", "update"]
    fresh = [(version, event) for _, version, event in watch.desk.decided]
    assert fresh == [(2, by_todays_rules[0]), (3, by_todays_rules[2])]


def test_what_the_same_rules_decided_is_not_decided_again() -> None:
    (_, _, tto), *_ = opened().desk.decided
    assert isinstance(tto, SlaArmed)

    watch = opened(tto)

    assert [version for _, version, _ in watch.desk.decided] == [2, 3]
