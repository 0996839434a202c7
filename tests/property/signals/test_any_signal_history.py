"""However the signals of some troubles arrive, the same troubles are open at the end.

What holds: if the instants a source claims rise from signal to signal of a trouble and
lie before they are received, then in any order and with any repeats of delivery, all
within the reopen window, a trouble has an incident at work at the end exactly if its
latest signal is a trigger, never more than one, and never one that was opened twice.
How many events it took, and what priority the way there gave, may differ. Of a format
whose troubles keep their instant that is so as long as nothing is late by minutes; of
all others a message that is sent again, named or not, means nothing however late.

Once time has let everything held take effect, the same holds whatever the settings of
the source: what must hold before it is believed, what flaps, and what belongs together,
which then is at work in one incident a group.
"""

from datetime import UTC, datetime, timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from services.intake.records.signal import Signal, signal_key
from shared.domain.events.incident import IncidentOpened
from shared.domain.incident import AT_WORK
from shared.domain.policy.document import Policy
from tests.support.desks.pure import ALONE, PureDesk
from tests.support.examples import examples
from tests.support.policies import full

NINE = datetime(2025, 6, 30, 7, tzinfo=UTC)

SITES = {"k1": "lyon", "k2": "lyon", "k3": "nice"}
TOGETHER = ", correlate: {by: [labels.site], within: 10m}"
FLAPS = ", flapping: {changes: 3, within: 20m}"
SETTINGS = (
    TOGETHER,
    ", hold_down: 2m",
    ", open_after: 1m",
    FLAPS,
    f", hold_down: 2m{FLAPS}",
    f"{TOGETHER}, hold_down: 2m, open_after: 1m{FLAPS}",
)
POLICIES = tuple(
    full(("36h30m\n  calendar: jour", "36h30m\n  calendar: toujours"), (ALONE[0], each))
    for each in SETTINGS
)

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
                "labels": {"site": SITES[key]},
                "event_id": f"e-{n}",
                "occurred_at": NINE + timedelta(minutes=n),
            }
        )
        for n, (key, action, severity) in enumerate(told)
    ]
)


namings = st.booleans()
"""Whether messages have names; else their instants alone tell which they are."""


def named(history: list[Signal], *, with_names: bool) -> list[Signal]:
    """Return the messages with their names, or without."""
    if with_names:
        return history
    return [signal.model_copy(update={"event_id": None}) for signal in history]


@examples(300)
@given(
    histories,
    namings,
    st.sampled_from([("native", 20), ("native", 5_400), ("alertmanager", 20)]),
    st.randoms(use_true_random=False),
)
def test_the_latest_word_decides_in_any_order_and_number(
    history: list[Signal], with_names: bool, sent: tuple[str, int], random: Random
) -> None:
    adapter, gap_max = sent
    messages = named(history, with_names=with_names)
    deliveries = messages + random.choices(messages, k=random.randrange(10))
    random.shuffle(deliveries)
    desk, at = PureDesk(adapter=adapter), NINE + timedelta(hours=1)
    for signal in deliveries:
        at += timedelta(seconds=random.randint(1, gap_max))
        desk.hear(signal, at)

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


@examples(100)
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


@examples(100)
@given(histories, namings, st.randoms(use_true_random=False))
def test_what_is_sent_again_days_later_changes_nothing(
    history: list[Signal], with_names: bool, random: Random
) -> None:
    desk, later = PureDesk(), NINE + timedelta(hours=1)
    messages = named(history, with_names=with_names)
    for signal in messages:
        desk.hear(signal, later)
    statuses = {ref: i.status for ref, i in desk.incidents.items()}

    for signal in random.choices(messages, k=10):
        later += timedelta(minutes=random.randint(1, 3 * 24 * 60))
        desk.hear(signal, later)

    assert {ref: i.status for ref, i in desk.incidents.items()} == statuses


@examples(400)
@given(histories, namings, st.sampled_from(POLICIES), st.randoms(use_true_random=False))
def test_settings_and_batches_change_nothing_about_what_is_open_in_the_end(
    history: list[Signal], with_names: bool, policy: Policy, random: Random
) -> None:
    messages = named(history, with_names=with_names)
    deliveries = messages + random.choices(messages, k=random.randrange(10))
    random.shuffle(deliveries)
    desk, at = PureDesk(policy), NINE + timedelta(hours=1)
    together = policy.sources["prom"].model_dump()["correlate"] is not None
    gap_max = 20 if together else 3_600
    while deliveries:
        size = random.randint(1, 4)
        desk.hear_all(deliveries[:size], at)
        deliveries = deliveries[size:]
        at += timedelta(seconds=random.randint(1, gap_max))
        if random.random() < 0.5:  # nobody need look in time
            desk.pass_time(at)
    desk.pass_time(at + timedelta(hours=1))

    latest = {signal.dedup_key: signal.action for signal in history}
    expected: dict[str, set[str]] = {}
    for key, action in latest.items():
        if action == "trigger":
            group = SITES[key] if together else key
            expected.setdefault(group, set()).add(signal_key("prom", key))
    at_work = [
        {key for key, state in incident.signals.items() if state == "firing"}
        for incident in desk.incidents.values()
        if incident.status in AT_WORK
    ]
    assert sorted(map(sorted, at_work)) == sorted(map(sorted, expected.values()))
    assert not any(row.held for row in desk.rows.values())
    assert not desk.held, "the outcome of what was held is known"


@examples(100)
@given(histories, st.sampled_from(POLICIES))
def test_the_same_messages_again_change_nothing(
    history: list[Signal], policy: Policy
) -> None:
    desk, later = PureDesk(policy), NINE + timedelta(hours=1)
    desk.hear_all(history, later)
    events, rows, told = list(desk.log), dict(desk.rows), list(desk.suppressed)

    desk.hear_all(history, later + timedelta(seconds=1))

    assert (desk.log, desk.rows, desk.suppressed) == (events, rows, told)
