"""What a person is told at once about their contact: reference and promises in words.

Pure. The letter that follows by mail says the same; it is escalation's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from shared.directory import Person
from shared.domain.incident import Incident
from shared.domain.policy.document import Policy
from shared.domain.sla import Clock, TargetPromise, promised
from shared.i18n.formats import Language, Reader, instant_text, language_of
from shared.i18n.messages import say
from shared.i18n.promise_lines import Promise
from shared.i18n.user_notices import Receipt as Notice

Target = Literal["tto", "ttr", "update"]


@dataclass(frozen=True, slots=True)
class Promised:
    """A promise, with its due instant as the person would say it.

    `due_at` is None while its clock stands, `due_text` for a rhythm too. `is_open`: it
    is still to be kept.
    """

    target: Target
    seconds: int
    due_at: datetime | None
    due_text: str | None
    is_open: bool


@dataclass(frozen=True, slots=True)
class Receipt:
    """What is promised about an incident, and a text to read out or to send."""

    reference: str
    subject: str
    text: str
    language: Language
    zone: str
    promises: tuple[Promised, ...]


def receipt(  # each is one more thing the words depend on
    incident: Incident,
    clocks: Sequence[Clock],
    policy: Policy,
    person: Person | None,
    words: str | None,
    *,
    attached: bool,
) -> Receipt:
    """Return the receipt of a contact, in the language and zone of the person."""
    zone = (person and person.zone) or policy.desk.timezone
    fallback = policy.desk.languages[0]
    asked = person.language if person else None
    language = language_of(asked, fallback)
    pledges = _pledges(incident, policy)
    promises = tuple(
        _promised(
            target, incident, pledge, _clock(incident, clocks, target), zone, language
        )
        for target, pledge in pledges.items()
    )
    notice = Notice(
        incident.ref,
        incident.title,
        tuple(
            Promise(each.target, each.seconds, each.due_at, pledge.terms.ttr.stops_at)
            for each, pledge in zip(promises, pledges.values(), strict=True)
            if each.is_open
        ),
        words or "",
        attached=attached,
        taken=incident.acknowledged_at is not None,
    )
    name = person.name if person else ""
    message = say(notice, Reader(asked, zone, name), fallback)
    return Receipt(
        incident.ref, message.subject, message.body, language, zone, promises
    )


def _pledges(incident: Incident, policy: Policy) -> Mapping[Target, TargetPromise]:
    try:
        return promised(
            policy,
            incident.service,
            incident.client,
            incident.priority,
            incident.reported_at,
            incident.noticed,
        )
    except ValueError:  # a calendar that never opens promises nothing
        return {}


def _clock(incident: Incident, clocks: Sequence[Clock], target: Target) -> Clock | None:
    """Return the newest clock of a target in this cycle; none yet on a new incident."""
    found = [
        clock
        for clock in clocks
        if (clock.name.target, clock.name.cycle) == (target, incident.cycle)
    ]
    return found[-1] if found else None


def _promised(  # each is one more thing the words depend on
    target: Target,
    incident: Incident,
    pledge: TargetPromise,
    clock: Clock | None,
    zone: str,
    language: Language,
) -> Promised:
    due_at = clock.due_at if clock else pledge.due_at
    told = due_at if target != "update" else None
    taken = target == "tto" and incident.acknowledged_at is not None
    return Promised(
        target,
        clock.seconds if clock else pledge.seconds,
        due_at,
        instant_text(told, zone, language) if told else None,
        is_open=clock.is_open if clock else not taken,
    )
