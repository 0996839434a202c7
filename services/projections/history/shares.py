"""Who consumed a promise: the support levels of an incident, and whom it waited for."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from babel.lists import format_list

from shared.domain import events
from shared.domain.incident.deliveries import OpenQuestion
from shared.domain.incident.reporters import NOBODY
from shared.domain.policy.targets import SupportLevel
from shared.domain.sla import Consumption, LevelEntry, Share, Wait, whole
from shared.domain.sla.consumption import LOWEST
from shared.eventlog.entry import Entry
from shared.i18n.catalog import Language, text_of
from shared.i18n.formats import duration_text, instant_text


def turns(past: Sequence[Entry]) -> Sequence[LevelEntry]:
    """Return when each support level after the first received it, as in queues.

    A reopened incident starts at the lowest level again.
    """
    found: list[LevelEntry] = []
    for entry in past:
        match entry.event:
            case events.Escalated() as event:
                _begin(found, event.to_level, whole(event.escalated_at))
            case events.EscalationReturned() as event:
                _begin(found, event.to_level, whole(event.returned_at))
            case events.IncidentReopened():
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
    question: OpenQuestion | None = None
    users = NOBODY
    for entry in past:
        event, at = entry.event, whole(entry.recorded_at)
        users = users.after(event)
        if isinstance(event, events.IncidentPaused | events.IncidentResumed):
            if found and found[-1].until is None:
                found[-1] = found[-1]._replace(until=at)
            question = None
        match event:
            case events.IncidentPaused(awaits_delivery=True):
                question = OpenQuestion(entry.version)
            case events.IncidentPaused(reason=reason):
                found.append(Wait(reason, at))
            case _ if question and question.is_received_by(event, users.all):
                found.append(Wait("user", at))
                question = None
            case _ if question is not None:
                question = question.after(event)
            case _:
                pass
    return found


def waiting_since(past: Sequence[Entry]) -> datetime | None:
    """Return since when it waits for a user who has received the question."""
    now = [each for each in waits(past) if each.until is None and each.reason == "user"]
    return now[-1].since if now else None


def shares(of: Consumption, zone: str, language: Language) -> list[str]:
    """Return sentences about who consumed it; none if no open hours have passed."""
    if not of.passed:
        return []
    levels = [
        f"{level.upper()} {_text(seconds, language)}"
        for level, seconds in of.levels.items()
    ]
    parties = [_party(each, language) for each in of.shares if each.passed]
    return [
        text_of(language, "consumption", "levels").format(
            until=instant_text(of.until, zone, language),
            seconds=_text(of.seconds, language),
            levels=format_list(levels, locale=language),
        ),
        text_of(language, "consumption", "parties").format(
            passed=_text(of.passed, language),
            parties=format_list(parties, locale=language),
        ),
    ]


def _party(share: Share, language: Language) -> str:
    passed = _text(share.passed, language)
    text = text_of(language, "consumption.party", share.party).format(seconds=passed)
    if share.counted == share.passed:
        return text
    name = "counted" if share.counted else "not counted"
    counted = text_of(language, "consumption", name)
    return f"{text} {counted.format(seconds=_text(share.counted, language))}"


def _text(seconds: int, language: Language) -> str:
    return duration_text(timedelta(seconds=seconds), language)
