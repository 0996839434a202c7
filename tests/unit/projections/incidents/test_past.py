"""The past of an incident of which an event cannot be read, or cannot have happened."""

from datetime import UTC, datetime

import pytest

from services.projections.history.history import whole
from services.projections.history.past import Past, past_of
from shared.domain.events import IncidentAcknowledged
from shared.domain.incident import Status
from shared.eventlog.entry import GENESIS, Entry
from shared.eventlog.histories import Unreadable
from shared.eventlog.log import Row
from tests.support.builders.promise_events import armed, minute, told
from tests.support.strategies.histories import START, opened
from tests.support.strategies.interleaved_streams import AboutIncident

REF = "INC-000001"
OPENED = opened(REF)
ARMED = armed(REF, "tto", 40)
MET = told("sla.met", REF, target="tto", met_at=minute(5))
BY_NADIA = {"at": START, "by": "person:nadia", "incident": REF, "policy": 1, "cycle": 1}
TAKEN = IncidentAcknowledged.model_validate(BY_NADIA)
FAR = datetime(9999, 12, 31, tzinfo=UTC)
OF_A_LATER_VERSION = "sla.rebranded"


def _past(*happened: AboutIncident | str, skipped: int = 0) -> Past:
    """Return the past after these events; a text is a type that nobody knows.

    `skipped`: the position of the one that its owner leaves out.
    """
    versions: dict[str, int] = {}
    read: list[tuple[Row, Entry | Unreadable]] = []
    for position, event in enumerate(happened, 1):
        kind = event if isinstance(event, str) else event.type
        stream = f"{kind.partition('.')[0]}-{REF}"
        version = versions[stream] = versions.get(stream, 0) + 1
        row = Row(position, stream, version, kind, b"{}", START, None, GENESIS)
        read.append(
            (row, Unreadable(version, "UnknownEvent", skipped=position == skipped))
            if isinstance(event, str) or position == skipped
            else (row, Entry(*row[:4], START, None, event))
        )
    return past_of(read)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (OF_A_LATER_VERSION, "UnknownEvent"),
        (MET.model_copy(update={"cycle": 7}), "it cannot have happened: sla.met of"),
        (
            told("sla.paused", REF, target="ttr", paused_at=START),
            "it cannot have happened: sla.paused",
        ),
        (armed(REF, "ttr", 40, seconds=10**18), "it cannot have happened: sla.armed"),
        (
            told("sla.breached", REF, target="tto", due_at=FAR, breached_at=FAR),
            "it cannot have happened: sla.breached says 9999-12-31",
        ),
    ],
)
def test_it_is_named_and_what_follows_from_it_is_left_out(
    wrong: AboutIncident | str, why: str
) -> None:
    past = _past(OPENED, ARMED, wrong, MET, TAKEN)

    (found,) = past.unreadable
    assert (found.position, found.stream, found.later) == (3, f"sla-{REF}", 1)
    assert found.why.startswith(why)
    assert [each.position for each in past.entries] == [1, 2, 5]


@pytest.mark.parametrize("wrong", [OF_A_LATER_VERSION, MET])
def test_what_its_owner_skips_is_named_and_the_stream_goes_on(
    wrong: AboutIncident | str,
) -> None:
    breached = told("sla.breached", REF, target="tto", due_at=START, breached_at=START)
    past = _past(OPENED, ARMED, wrong, breached, TAKEN, skipped=3)

    (found,) = past.unreadable
    assert (found.position, found.later, found.skipped) == (3, 0, True)
    assert [each.position for each in past.entries] == [1, 2, 4, 5]
    assert [clock.state.value for clock in past.state.clocks] == ["breached"]


def test_a_stream_that_ended_before_stays_ended() -> None:
    past = _past(OPENED, ARMED, OF_A_LATER_VERSION, MET, MET, skipped=4)

    (found,) = past.unreadable
    assert (found.position, found.later, found.skipped) == (3, 2, False)


def test_the_other_streams_go_on() -> None:
    incident = whole(_past(OPENED, ARMED, OF_A_LATER_VERSION, TAKEN))

    assert incident is not None
    assert incident.incident.status is Status.ACKNOWLEDGED
    assert [clock.state.value for clock in incident.clocks] == ["running"]


def test_one_opened_twice_stays_as_it_was_before() -> None:
    past = _past(OPENED, opened(REF, title="Another"), ARMED)

    (found,) = past.unreadable
    assert found.why == f"it cannot have happened: {REF} was opened twice"
    assert past.state.incident is not None
    assert past.state.incident.title == OPENED.title
    assert len(past.state.clocks) == 1


def test_without_its_opening_nothing_is_known() -> None:
    past = _past("incident.rebranded", ARMED, TAKEN)

    assert whole(past) is None
    assert not past.entries
    assert {each.stream: each.later for each in past.unreadable} == {
        f"incident-{REF}": 1,
        f"sla-{REF}": 0,
    }
