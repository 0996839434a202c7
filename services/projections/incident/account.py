"""A promise explained in sentences: what was promised, its windows, its end."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_date

from services.projections.incident.account_words import WORDS, Words
from shared.domain.sla import Explanation, State, is_operational
from shared.domain.working_time import Window
from shared.i18n.formats import Language, duration_text, instant_text, typeset

_DAY = "EEEE d MMMM y"


def sentences(explained: Explanation, language: Language) -> list[str]:
    """Return the account of a promise in words; instants in the calendar's zone."""
    words = WORDS[language]
    said = [
        *_promised(explained, words, language),
        *_extensions(explained, words, language),
        *_windows(explained, words, language),
        *_end(explained, words, language),
        *_beside(explained, words, language),
    ]
    return [typeset(sentence, language) for sentence in said]


def _promised(of: Explanation, words: Words, language: Language) -> Iterator[str]:
    clock = of.clock
    owed = is_operational(clock.name.target)
    yield (words.owed if owed else words.promised).format(
        contract=clock.contract,
        target=words.targets[clock.name.target],
        seconds=_duration(clock.original_seconds, language),
        calendar=clock.calendar,
        zone=of.zone,
        policy=clock.policy,
        started=instant_text(clock.started_at, of.zone, language),
    )
    if len(clock.candidates) > 1:
        yield words.candidates.format(candidates=", ".join(clock.candidates))


def _extensions(of: Explanation, words: Words, language: Language) -> Iterator[str]:
    for each in of.clock.extensions:
        how = "late" if each.after_breach else each.state
        yield words.extensions[how].format(
            ref=each.ref,
            asked=instant_text(each.proposed_at, of.zone, language),
            until=instant_text(each.proposed_due_at, of.zone, language),
            answered=instant_text(
                each.answered_at or each.expires_at, of.zone, language
            ),
            who=each.answered_by,
        )


def _windows(of: Explanation, words: Words, language: Language) -> Iterator[str]:
    for window in of.windows:
        span = _span(window, of.zone, language)
        if window.pause is None:
            yield words.counts.format(
                span=span,
                seconds=_duration(window.seconds, language),
                together=_duration(window.together, language),
            )
        else:
            why = of.stops[window.pause].why
            yield words.stands.format(span=span, because=words.because[why])
    if of.cut:
        yield words.cut
    yield words.together.format(
        seconds=_duration(of.seconds, language),
        promised=_duration(of.clock.seconds, language),
    )


def _end(of: Explanation, words: Words, language: Language) -> Iterator[str]:
    clock = of.clock

    def at(instant: datetime) -> str:
        return instant_text(instant, of.zone, language)

    left = _duration(max(0, clock.seconds - of.seconds), language)
    if clock.breached_at and clock.due_at:
        yield words.broken.format(due=at(clock.due_at), breached=at(clock.breached_at))
        if clock.ended_at:
            overrun = _duration(clock.overrun_seconds or 0, language)
            yield words.late.format(done=at(clock.ended_at), overrun=overrun)
    elif clock.state is State.MET and clock.ended_at:
        yield words.met.format(ended=at(clock.ended_at), left=left)
    elif clock.state is State.CANCELLED and clock.ended_at:
        reason = words.reasons.get(clock.cancelled_for or "", clock.cancelled_for)
        yield words.cancelled.format(ended=at(clock.ended_at), reason=reason)
    elif clock.due_at:
        yield words.due.format(due=at(clock.due_at))
    else:
        yield words.standing.format(left=left)


def _beside(of: Explanation, words: Words, language: Language) -> Iterator[str]:
    """Yield what stands beside the end: the contract alone, and whose a breach is."""
    original, said = of.original_due_at, of.clock.attributed
    if original is not None and original != of.clock.due_at:
        yield words.original.format(due=instant_text(original, of.zone, language))
    if said is not None:
        by, party = said.by.partition(":")[2], words.parties[said.party]
        at = instant_text(said.at, of.zone, language)
        yield words.whose.format(party=party, by=by, at=at)


def _span(window: Window, zone: str, language: Language) -> str:
    """Return a window as its day and times, or both days where it lies on two."""
    begins, ends = (
        instant.astimezone(ZoneInfo(zone)) for instant in (window.begins, window.ends)
    )
    last = (ends - timedelta(microseconds=1)).date()
    first = f"{_day(begins, language)} {_time(begins)}"
    if begins.date() == last:
        return f"{first}–{'24:00' if last != ends.date() else _time(ends)}"
    return f"{first} – {_day(ends, language)} {_time(ends)}"


def _day(local: datetime, language: Language) -> str:
    said = format_date(local, _DAY, locale=language)
    return said.replace(" 1 ", " 1er ", 1) if language == "fr" else said


def _time(local: datetime) -> str:
    return f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"


def _duration(seconds: int, language: Language) -> str:
    return duration_text(timedelta(seconds=seconds), language)
