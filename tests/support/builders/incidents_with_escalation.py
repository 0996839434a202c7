"""What happens to an incident, with any lawful looking for help between, and mails."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any

from hypothesis import strategies as st

from shared.domain import events
from shared.domain.identifiers import escalation_stream, incident_stream
from shared.domain.incident import AT_WORK, Incident, evolve
from shared.eventlog.entry import Entry
from tests.support.builders.promises import MESSAGES

SEEKING = st.lists(
    st.sampled_from(
        ["", "", "escalate", "accept", "return", "mail", "deliver", "deliver", "fail"]
    ),
    max_size=12,
)
"""What is done about help, or becomes of messages to users, after each event."""
_LEVELS = ("n1", "n2", "n3")


@dataclass
class _Helped:
    """One incident, and how far the search for somebody is."""

    incident: Incident | None = None
    level: int = 0
    accepted: bool = False
    version: int = 0
    mails: tuple[str, ...] = ()
    """The messages to users that are on their way."""

    def after(
        self, event: events.IncidentEvent, seek: str
    ) -> Iterator[events.AnyEvent]:
        """Yield the event, and what is done about help then, where it can be."""
        yield event
        self.version += 1
        self.incident = evolve(self.incident, event)
        yield from self._mailed(event, seek)
        if event.type == "incident.reopened":
            self.level, self.accepted = 0, False
        if self.incident.status not in AT_WORK:
            return
        about: dict[str, Any] = {
            "incident": event.incident,
            "policy": 1,
            "at": event.at,
            "by": "system:escalation",
            "cycle": self.incident.cycle,
        }
        if seek == "escalate" and self.level < len(_LEVELS) - 1:
            yield self._escalated(about, event)
        elif seek == "return" and self.level:
            yield self._returned(about, event)
        elif seek == "accept" and self.level and not self.accepted:
            self.accepted = True
            level = _LEVELS[self.level]
            yield events.EscalationAccepted(
                **about, level=level, person="amina", how="accepted"
            )

    def _mailed(
        self, event: events.IncidentEvent, seek: str
    ) -> Iterator[events.AnyEvent]:
        """Yield the message about an event, and what becomes of those on their way."""
        if seek not in {"mail", "deliver", "fail"} or self.incident is None:
            return
        common = {"incident": event.incident, "at": event.at, "by": "system:escalation"}
        kind = MESSAGES.get(event.type)
        if kind and self.incident.reporters:
            key = f"{event.incident} {self.version}"
            self.mails = (*self.mails, key)
            yield events.NotificationRequested(
                **common,
                policy=1,
                key=key,
                kind=kind,
                audience="user",
                channel="mail",
                person=min(self.incident.reporters),
                cause_stream=incident_stream(event.incident),
                cause_version=self.version,
            )
        if seek == "mail":
            return
        for key in self.mails:
            if seek == "deliver":
                receipt = "250 ok"
                yield events.NotificationConfirmed(
                    **common, key=key, attempts=1, receipt=receipt
                )
            else:
                yield events.NotificationFailed(
                    **common, key=key, attempts=1, reason="no address"
                )
        self.mails = ()

    def _returned(
        self, about: dict[str, Any], event: events.IncidentEvent
    ) -> events.EscalationReturned:
        here = _LEVELS[self.level]
        self.level, self.accepted = 0, False
        return events.EscalationReturned(
            **about,
            from_level=here,
            to_level=_LEVELS[0],
            team="desk",
            returned_at=event.at,
        )

    def _escalated(
        self, about: dict[str, Any], event: events.IncidentEvent
    ) -> events.Escalated:
        here = _LEVELS[self.level]
        self.level, self.accepted = self.level + 1, False
        return events.Escalated(
            **about,
            from_level=here,
            to_level=_LEVELS[self.level],
            team="support",
            cause="by_hand",
            escalated_at=event.at,
        )


def streams(
    log: Sequence[events.IncidentEvent], seeking: Sequence[str] = ()
) -> dict[str, list[Entry]]:
    """Return what enters the log about each incident of `log`, as it is recorded."""
    by_incident: dict[str, list[Entry]] = {}
    helped: dict[str, _Helped] = {}
    for event, seek in zip(log, cycle([*seeking, ""]), strict=False):
        own = by_incident.setdefault(event.incident, [])
        for each in helped.setdefault(event.incident, _Helped()).after(event, seek):
            of_incident = each.type.startswith("incident.")
            stream = (incident_stream if of_incident else escalation_stream)(
                event.incident
            )
            version = 1 + sum(entry.stream == stream for entry in own)
            place = len(own) + 1
            own.append(Entry(place, stream, version, each.type, event.at, None, each))
    return by_incident
