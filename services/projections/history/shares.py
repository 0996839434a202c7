"""Who consumed a promise: the support levels of an incident, and whom it waited for."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from babel.lists import format_list

from shared.domain.events.escalation import Escalated, EscalationReturned
from shared.domain.events.incident import (
    IncidentPaused,
    IncidentReopened,
    IncidentResumed,
)
from shared.domain.events.sla import Party
from shared.domain.policy.targets import SupportLevel
from shared.domain.sla import Consumption, LevelEntry, Share, Wait, whole
from shared.domain.sla.consumption import LOWEST
from shared.eventlog.entry import Entry
from shared.i18n.formats import Language, duration_text, instant_text, typeset


def turns(past: Sequence[Entry]) -> Sequence[LevelEntry]:
    """Return when each support level after the first received it, as in queues.

    A reopened incident starts at the lowest level again.
    """
    found: list[LevelEntry] = []
    for entry in past:
        match entry.event:
            case Escalated() as event:
                _begin(found, event.to_level, whole(event.escalated_at))
            case EscalationReturned() as event:
                _begin(found, event.to_level, whole(event.returned_at))
            case IncidentReopened():
                _begin(found, LOWEST, whole(entry.recorded_at))
            case _:
                pass
    return found


def _begin(found: list[LevelEntry], level: SupportLevel, since: datetime) -> None:
    # A late process may record an instant before that of an earlier event.
    before = [turn.since for turn in found[-1:]]
    found.append(LevelEntry(level, max([since, *before])))


def waits(past: Sequence[Entry]) -> Sequence[Wait]:
    """Return when it waited for whom, by the instants when clocks pause and resume."""
    found: list[Wait] = []
    for entry in past:
        if not isinstance(entry.event, IncidentPaused | IncidentResumed):
            continue
        at = whole(entry.recorded_at)
        if found and found[-1].until is None:
            found[-1] = found[-1]._replace(until=at)
        if isinstance(entry.event, IncidentPaused):
            found.append(Wait(entry.event.reason, at))
    return found


class _Words(NamedTuple):
    levels: str
    level: str
    parties: str
    party: Mapping[Party, str]
    none_counts: str
    some_counts: str


_WORDS: Mapping[Language, _Words] = {
    "en": _Words(
        levels="By {until}: {seconds} consumed, of which {levels}.",
        level="{level} {seconds}",
        parties="Open hours since it began: {passed}, of which {parties}.",
        party={
            "user": "{seconds} waiting for the user",
            "vendor": "{seconds} waiting for a vendor",
            "provider": "{seconds} ours",
        },
        none_counts=" (not counted)",
        some_counts=" ({seconds} counted)",
    ),
    "fr": _Words(
        levels="Au {until} : {seconds} de consommé, dont {levels}.",
        level="{level} {seconds}",
        parties="Heures ouvertes depuis le début : {passed}, dont {parties}.",
        party={
            "user": "{seconds} à attendre l’utilisateur",
            "vendor": "{seconds} à attendre un fournisseur",
            "provider": "{seconds} à notre charge",
        },
        none_counts=" (hors décompte)",
        some_counts=" ({seconds} au décompte)",
    ),
}


def shares(of: Consumption, zone: str, language: Language) -> list[str]:
    """Return sentences about who consumed it; none if no open hours have passed."""
    said = _sentences(of, zone, language) if of.passed else ()
    return [typeset(sentence, language) for sentence in said]


def _sentences(of: Consumption, zone: str, language: Language) -> Iterator[str]:
    words = _WORDS[language]
    levels = [
        words.level.format(level=level.upper(), seconds=_text(seconds, language))
        for level, seconds in of.levels.items()
    ]
    yield words.levels.format(
        until=instant_text(of.until, zone, language),
        seconds=_text(of.seconds, language),
        levels=format_list(levels, locale=language),
    )
    parties = [_party(each, words, language) for each in of.shares if each.passed]
    yield words.parties.format(
        passed=_text(of.passed, language), parties=format_list(parties, locale=language)
    )


def _party(share: Share, words: _Words, language: Language) -> str:
    said = words.party[share.party].format(seconds=_text(share.passed, language))
    if share.counted == share.passed:
        return said
    counts = words.some_counts if share.counted else words.none_counts
    return said + counts.format(seconds=_text(share.counted, language))


def _text(seconds: int, language: Language) -> str:
    return duration_text(timedelta(seconds=seconds), language)
