"""However the signals of some troubles arrive, the same troubles are open at the end.

What holds: if the instants a source claims rise from signal to signal of a trouble and
lie before they are received, then in any order and with any repeats of delivery, all
within the reopen window, a trouble has an incident at work at the end exactly if its
latest signal is a trigger, never more than one, and never one that was opened twice.
How many events it took, and what priority the way there gave, may differ.
"""

from datetime import UTC, datetime, timedelta
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from services.intake.signals import Signal, signal_key
from shared.events.incident import IncidentOpened
from shared.incident import AT_WORK
from tests.support.pure_desk import PureDesk

NINE = datetime(2025, 6, 30, 7, tzinfo=UTC)

histories = st.lists(
    st.tuples(
        st.sampled_from(["k1", "k2", "k3"]),
        st.sampled_from(["trigger", "resolve"]),
        st.sampled_from(["critical", "warning"]),
    ),
    min_size=1,
    max_size=12,
).map(
    lambda told: [
        Signal.model_validate(
            {
                "source": "prom",
                "dedup_key": key,
                "action": action,
                "title": "down",
                "severity": severity,
                "occurred_at": NINE + timedelta(minutes=n),
            }
        )
        for n, (key, action, severity) in enumerate(told)
    ]
)


@settings(max_examples=300, deadline=timedelta(seconds=5))
@given(histories, st.randoms(use_true_random=False))
def test_the_latest_word_decides_in_any_order_and_number(
    history: list[Signal], random: Random
) -> None:
    deliveries = history + random.choices(history, k=random.randrange(10))
    random.shuffle(deliveries)
    desk = PureDesk()
    for n, signal in enumerate(deliveries):
        desk.hear(signal, NINE + timedelta(hours=1, seconds=20 * n))

    latest = {signal.dedup_key: signal.action for signal in history}
    firing = {
        signal_key("prom", key) for key, action in latest.items() if action == "trigger"
    }
    at_work = [
        key
        for incident in desk.incidents.values()
        if incident.status in AT_WORK
        for key in incident.signals
    ]
    opened = [event for event in desk.log if isinstance(event, IncidentOpened)]
    assert sorted(at_work) == sorted(firing)
    assert len({event.signal_key for event in opened}) == len(opened)


@settings(max_examples=100, deadline=timedelta(seconds=5))
@given(histories)
def test_a_whole_history_sent_again_opens_nothing(history: list[Signal]) -> None:
    desk = PureDesk()
    later = NINE + timedelta(hours=1)
    for signal in history:
        desk.hear(signal, later)
    at_work = {ref for ref, i in desk.incidents.items() if i.status in AT_WORK}
    number = len(desk.log)
    for signal in history:
        desk.hear(signal, later)

    assert {r for r, i in desk.incidents.items() if i.status in AT_WORK} == at_work
    assert not [e for e in desk.log[number:] if isinstance(e, IncidentOpened)]
