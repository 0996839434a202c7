"""Which trouble a signal is about, and whether it is news. Pure: the heart of intake.

Each trouble of a source has one row, found by its key and locked by the caller; it
knows how the trouble stands and which incident is for it. So there is at most one
incident at work per key, repeats are counted here and not in the log, and signals
that arrive late or twice change nothing.

Instants a source claims are compared with each other only, never with our clock; a
claim that lies ahead of the receipt counts as the receipt. Equal instants are taken in
the order of arrival: better an incident too many than a trouble missed.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple, assert_never

from services.intake.commands import (
    AcknowledgeSource,
    Command,
    MachinesWish,
    Recover,
    Trigger,
)
from services.intake.decider import decide
from services.intake.decider.ending import may_reopen
from services.intake.decider.windows import is_within
from services.intake.signals import Signal
from shared.events import IncidentEvent
from shared.incident import AT_WORK, Incident, Status
from shared.policy.document import Policy
from shared.policy.scales import Severity

STALE_WITHIN = timedelta(minutes=10)
"""How long after a recovery an older trigger is taken for one that was overtaken.

Later it is believed: a source cut off from its monitor is given up for recovered, and
goes on with the old instant when the two meet again.
"""

SUMMARY_EVERY = timedelta(minutes=1)
"""Repeats of a signal are told in the log at most this often, beside other news."""

Outcome = Literal["opened", "signalled", "recovered", "suppressed", "duplicate"]
State = Literal["unknown", "firing", "recovered"]


class KeyRow(NamedTuple):
    """What is known of one trouble.

    `incident` stays when the trouble is over; merging and splitting move it.
    `last_occurred_at` and `last_recovered_at` are the latest claims of its source.
    """

    signal_key: str
    source: str
    incident: str | None = None
    state: State = "unknown"
    severity: Severity | None = None
    last_occurred_at: datetime | None = None
    last_recovered_at: datetime | None = None
    repeats: int = 0
    """How many came since the last event that told of them."""
    last_summary_at: datetime | None = None
    recovery_heard_at: datetime | None = None
    """When the last recovery was received, by our clock."""


class Correlated(NamedTuple):
    """What became of a signal: what it hears, what is appended, the row after it."""

    outcome: Outcome
    row: KeyRow
    events: Sequence[IncidentEvent] = ()
    reason: str | None = None
    """Why it was suppressed."""


class _Arrival(NamedTuple):
    """A signal at the moment it is judged. `fresh` gives references for new ones."""

    row: KeyRow
    incident: Incident | None
    signal: Signal
    received_at: datetime
    at: datetime
    policy: Policy
    policy_version: int
    fresh: Iterator[str]

    @property
    def claimed_at(self) -> datetime | None:
        occurred_at = self.signal.occurred_at
        return min(occurred_at, self.received_at) if occurred_at else None

    def decided(
        self, ref: str, incident: Incident | None, wish: MachinesWish
    ) -> list[IncidentEvent]:
        by = f"source:{self.signal.source}"
        return decide(
            Command(ref, self.at, by, wish),
            incident,
            policy=self.policy,
            policy_version=self.policy_version,
        )


def correlate(  # noqa: PLR0913 each is one more fact a signal is judged by
    row: KeyRow,
    incident: Incident | None,
    signal: Signal,
    *,
    received_at: datetime,
    at: datetime,
    policy: Policy,
    policy_version: int,
    fresh: Iterator[str],
) -> Correlated:
    """Return what becomes of `signal`, given its row and the row's incident.

    Takes a reference from `fresh` only if it opens an incident.
    """
    arrival = _Arrival(
        row, incident, signal, received_at, at, policy, policy_version, fresh
    )
    match signal.action:
        case "trigger":
            return _triggered(arrival)
        case "resolve":
            return _recovered(arrival)
        case "acknowledge":
            return _acknowledged(arrival)
        case _:
            assert_never(signal.action)


def _triggered(arrival: _Arrival) -> Correlated:
    row, incident, claimed = arrival.row, arrival.incident, arrival.claimed_at
    if claimed and row.last_recovered_at and claimed < row.last_recovered_at:
        heard_at = row.recovery_heard_at
        if heard_at is None or arrival.received_at - heard_at <= STALE_WITHIN:
            return Correlated("suppressed", row, (), "it is older than its recovery")
    if incident is None or not _still_for_it(arrival, incident):
        return _opened(arrival)
    if incident.status is Status.CANCELLED:
        return Correlated("suppressed", row, (), f"{incident.ref} was cancelled")
    if incident.status in AT_WORK and row.state == "firing":
        return _repeated(arrival, incident)
    return _news(arrival, incident, row.repeats, "signalled")


def _still_for_it(arrival: _Arrival, incident: Incident) -> bool:
    """Tell whether the row's incident may still take what its trouble does next.

    A cancelled one stands for what fires since then, as long as one could reopen it.
    """
    at, policy = arrival.at, arrival.policy
    match incident.status:
        case Status.RESOLVED | Status.CLOSED:
            return may_reopen(incident, at, policy)
        case Status.CANCELLED:
            since = incident.cancelled_at or at
            same = arrival.row.state == "firing"
            window = policy.reopen_within
            return same and is_within(window, incident, since, at, policy)
        case Status.MERGED:
            # Its keys moved with it in one transaction: only a row that was not
            # there to move can come here, and it is better opened than lost.
            return False
        case _:
            return True


def _opened(arrival: _Arrival) -> Correlated:
    older = arrival.incident
    ref = next(arrival.fresh)
    wish = Trigger(
        arrival.signal,
        arrival.row.signal_key,
        arrival.received_at,
        follows=older.ref if older else None,
    )
    events = arrival.decided(ref, None, wish)
    return Correlated("opened", _told(arrival, ref), events)


def _repeated(arrival: _Arrival, incident: Incident) -> Correlated:
    """Count a signal that fires already; tell it if it is worse or long untold."""
    row, signal, claimed = arrival.row, arrival.signal, arrival.claimed_at
    counted = row._replace(repeats=row.repeats + 1)
    if claimed and row.last_occurred_at and claimed < row.last_occurred_at:
        return Correlated("duplicate", counted)
    if signal.severity is not None and signal.severity != row.severity:
        return _news(arrival, incident, row.repeats, "signalled")
    told_at = row.last_summary_at
    if told_at is None or arrival.at - told_at >= SUMMARY_EVERY:
        return _news(arrival, incident, counted.repeats, "duplicate")
    return Correlated("duplicate", counted._replace(last_occurred_at=_latest(arrival)))


def _news(
    arrival: _Arrival, incident: Incident, repeats: int, outcome: Outcome
) -> Correlated:
    row = arrival.row
    wish = Trigger(arrival.signal, row.signal_key, arrival.received_at, repeats)
    events = arrival.decided(incident.ref, incident, wish)
    return Correlated(outcome, _told(arrival, incident.ref), events)


def _told(arrival: _Arrival, ref: str) -> KeyRow:
    """Return the row of a trouble that fires and of which the log knows everything."""
    return arrival.row._replace(
        incident=ref,
        state="firing",
        severity=arrival.signal.severity or arrival.row.severity,
        last_occurred_at=_latest(arrival),
        repeats=0,
        last_summary_at=arrival.at,
    )


def _latest(arrival: _Arrival) -> datetime | None:
    claims = (arrival.row.last_occurred_at, arrival.claimed_at)
    return max((claim for claim in claims if claim), default=None)


def _recovered(arrival: _Arrival) -> Correlated:
    row, incident, claimed = arrival.row, arrival.incident, arrival.claimed_at
    if claimed and row.last_occurred_at and claimed < row.last_occurred_at:
        return Correlated("suppressed", row, (), "it is older than what fires now")
    claims = (row.last_recovered_at, claimed)
    known = row._replace(
        state="recovered",
        last_recovered_at=max((claim for claim in claims if claim), default=None),
        recovery_heard_at=arrival.received_at,
    )
    if row.state == "recovered":
        return Correlated("duplicate", known)
    if incident is None or incident.status is Status.MERGED:
        return Correlated("suppressed", known, (), "nothing was open for it")
    wish = Recover(arrival.signal, row.signal_key, row.repeats)
    events = arrival.decided(incident.ref, incident, wish)
    told = known._replace(repeats=0, last_summary_at=arrival.at)
    return Correlated("recovered", told, events)


def _acknowledged(arrival: _Arrival) -> Correlated:
    row, incident = arrival.row, arrival.incident
    if incident is None or incident.status not in AT_WORK or row.state != "firing":
        return Correlated("suppressed", row, (), "nothing is open for it")
    wish = AcknowledgeSource(arrival.signal, row.signal_key)
    events = arrival.decided(incident.ref, incident, wish)
    return Correlated("signalled" if events else "duplicate", row, events)
