"""The state of a heartbeat, its transitions, and the signals it sends. Pure.

A heartbeat is silent from `due_at` on, whenever that is noticed. While the desk itself
did not listen, beats may have been missed: the time is counted from when it listened
again. The ids of the signals are derived from the state, so several processes report
one silence once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from shared.domain.policy.document import Policy
from shared.domain.policy.durations import duration_text
from shared.domain.policy.sources import Heartbeat
from shared.domain.working_time import ALWAYS, due, hours_of

Owed = Literal["silence", "recovery"]


@dataclass(frozen=True, slots=True)
class Beating:
    """The state of a heartbeat; `due_at` is None if it is not armed yet."""

    name: str
    policy: int
    last_beat_at: datetime | None = None
    beats: int = 0
    counts_from: datetime | None = None
    due_at: datetime | None = None
    deaf_from: datetime | None = None
    deaf_until: datetime | None = None
    silent_since: datetime | None = None
    owes: Owed | None = None
    """The signal that is still to be sent."""
    source: str | None = None
    """The source that sent the first beat."""

    @property
    def state(self) -> Literal["waiting", "beating", "silent"]:
        """The state for people: not armed yet, regular, or silent."""
        if self.silent_since is not None and self.owes != "recovery":
            return "silent"
        return "beating" if self.counts_from else "waiting"


class OtherSource(Exception):
    """A source sent a beat that belongs to another source, the `owner`."""

    def __init__(self, owner: str) -> None:
        super().__init__(owner)
        self.owner = owner


@dataclass(frozen=True, slots=True)
class HeartbeatTerms:
    """A policy's heartbeats, with its version."""

    version: int
    policy: Policy

    @property
    def heartbeats(self) -> Mapping[str, Heartbeat]:
        """The heartbeats by name."""
        return self.policy.heartbeats

    def expected(self, name: str, since: datetime | None) -> datetime | None:
        """Return when the beat after an instant is expected; None means never."""
        return self._after(name, since, self.heartbeats[name].every)

    def due(self, name: str, since: datetime | None) -> datetime | None:
        """Return when silence since an instant is too long; None means never."""
        rule = self.heartbeats[name]
        return self._after(name, since, rule.every + rule.grace)

    def _after(
        self, name: str, since: datetime | None, time: timedelta
    ) -> datetime | None:
        if since is None:
            return None
        calendar = self.heartbeats[name].calendar
        hours = hours_of(self.policy.calendars[calendar]) if calendar else ALWAYS
        try:
            return due(hours, since, int(time.total_seconds()))
        except ValueError:  # the calendar has no open hours
            return None


def known(name: str, terms: HeartbeatTerms, now: datetime) -> Beating:
    """Return the initial state of a heartbeat that is new in the policy."""
    at_once = terms.heartbeats[name].armed == "at_once"
    return _counted(Beating(name, terms.version), terms, now if at_once else None)


def owner_of(rule: Heartbeat, held: Beating | None) -> str | None:
    """Return the source that may beat it: that of the policy, or the first one."""
    return rule.source or (held.source if held else None)


def beaten(held: Beating, terms: HeartbeatTerms, now: datetime, source: str) -> Beating:
    """Return a heartbeat after a beat: a silent one recovers.

    Raises `OtherSource`.
    """
    owner = owner_of(terms.heartbeats[held.name], held)
    if owner not in (None, source):
        raise OtherSource(owner)
    owes: Owed | None = "recovery" if held.silent_since else None
    beat = replace(
        held,
        last_beat_at=now,
        beats=held.beats + 1,
        deaf_from=None,
        deaf_until=None,
        owes=owes,
        source=held.source or source,
    )
    return _counted(beat, terms, now)


def judged(
    held: Beating, terms: HeartbeatTerms, now: datetime, deaf_from: datetime | None
) -> Beating:
    """Return a heartbeat as it is at `now`.

    `deaf_from` is since when the desk did not listen, or None if it did.
    """
    if held.policy < terms.version:
        held = _counted(held, terms, held.counts_from)
    if deaf_from is not None and not held.silent_since:
        held = _heard_again(held, terms, now, deaf_from)
    if held.due_at is not None and held.due_at <= now and not held.silent_since:
        return replace(held, silent_since=held.due_at, owes="silence")
    return held


def _heard_again(
    held: Beating, terms: HeartbeatTerms, now: datetime, deaf_from: datetime
) -> Beating:
    """Restart the time if beats may have been missed while nobody listened."""
    expected = terms.expected(held.name, held.counts_from)
    if expected is None or expected > now:
        return held
    if held.due_at is not None and held.due_at <= deaf_from:
        return held  # it was silent before that
    again = replace(held, deaf_from=held.deaf_from or deaf_from, deaf_until=now)
    return _counted(again, terms, now)


def _counted(held: Beating, terms: HeartbeatTerms, since: datetime | None) -> Beating:
    return replace(
        held,
        policy=max(held.policy, terms.version),
        counts_from=since,
        due_at=terms.due(held.name, since),
    )


SOURCE = "heartbeat"
"""The source name of these signals, which the desk itself sends."""


def told(held: Beating, rule: Heartbeat) -> dict[str, Any]:
    """Return the event that a heartbeat still has to send."""
    since = held.silent_since
    if since is None or held.owes is None:
        raise ValueError(f"{held.name} owes no signal")
    silent = held.owes == "silence"
    begun = _text(since)
    event: dict[str, Any] = {
        "event_id": f"{SOURCE}/{held.name}/{begun}/{held.owes}",
        "dedup_key": f"{SOURCE}:{held.name}",
        "action": "trigger" if silent else "resolve",
        "title": f"{held.name} is silent" if silent else f"{held.name} beats again",
        "severity": rule.severity,
        "service": rule.service,
        "labels": {"heartbeat": held.name},
        "occurred_at": begun if silent else _text(held.last_beat_at or since),
    }
    if silent:
        event["details"] = _details(held, rule)
    return event


def _details(held: Beating, rule: Heartbeat) -> dict[str, str]:
    details = {
        "expected_every": duration_text(rule.every),
        "grace": duration_text(rule.grace),
        "last_beat_at": _text(held.last_beat_at) if held.last_beat_at else "never",
    }
    if rule.calendar:
        details["calendar"] = rule.calendar
    if held.deaf_from and held.deaf_until:
        details["counted_anew"] = (
            f"the desk itself did not listen from {_text(held.deaf_from)} to "
            f"{_text(held.deaf_until)}, and counted from then"
        )
    return details


def _text(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
