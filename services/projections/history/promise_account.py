"""Explains a promise in sentences: its target, its windows, its end."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from shared.domain.sla import Explanation, State, is_operational
from shared.domain.working_time import Window
from shared.i18n.catalog import Language, text_of
from shared.i18n.formats import day_text, duration_text, instant_text


def sentences(explained: Explanation, language: Language) -> list[str]:
    """Return the explanation of a promise; instants are in the calendar's time zone."""
    return [
        *_promised(explained, language),
        *_extensions(explained, language),
        *_windows(explained, language),
        *_end(explained, language),
        *_beside(explained, language),
    ]


def _text(language: Language, name: str, **values: object) -> str:
    return text_of(language, "explanation", name).format_map(values)


def _word(language: Language, field: str, value: str) -> str:
    return text_of(language, f"explanation.{field}", value)


def _promised(of: Explanation, language: Language) -> Iterator[str]:
    clock = of.clock
    owed = is_operational(clock.name.target)
    yield _text(
        language,
        "owed" if owed else "promised",
        contract=clock.contract,
        target=_word(language, "target", clock.name.target),
        seconds=_duration(clock.original_seconds, language),
        calendar=clock.calendar,
        zone=of.zone,
        policy=clock.policy,
        started=instant_text(clock.started_at, of.zone, language),
    )
    if len(clock.candidates) > 1:
        candidates = ", ".join(clock.candidates)
        yield _text(language, "candidates", candidates=candidates)


def _extensions(of: Explanation, language: Language) -> Iterator[str]:
    for each in of.clock.extensions:
        how = "late" if each.after_breach else each.state
        yield _word(language, "extension", how).format(
            ref=each.ref,
            asked=instant_text(each.proposed_at, of.zone, language),
            until=instant_text(each.proposed_due_at, of.zone, language),
            answered=instant_text(
                each.answered_at or each.expires_at, of.zone, language
            ),
            who=each.answered_by,
        )


def _windows(of: Explanation, language: Language) -> Iterator[str]:
    for window in of.windows:
        span = _span(window, of.zone, language)
        if window.pause is None:
            yield _text(
                language,
                "counts",
                span=span,
                seconds=_duration(window.seconds, language),
                together=_duration(window.together, language),
            )
        else:
            why = of.stops[window.pause].why
            yield _text(
                language, "stands", span=span, because=_word(language, "because", why)
            )
    if of.cut:
        yield _text(language, "cut")
    yield _text(
        language,
        "together",
        seconds=_duration(of.seconds, language),
        promised=_duration(of.clock.seconds, language),
    )


def _end(of: Explanation, language: Language) -> Iterator[str]:
    clock = of.clock

    def at(instant: datetime) -> str:
        return instant_text(instant, of.zone, language)

    left = _duration(max(0, clock.seconds - of.seconds), language)
    if clock.breached_at and clock.due_at:
        yield _text(
            language, "broken", due=at(clock.due_at), breached=at(clock.breached_at)
        )
        if clock.ended_at:
            overrun = _duration(clock.overrun_seconds or 0, language)
            yield _text(language, "late", done=at(clock.ended_at), overrun=overrun)
    elif clock.state is State.MET and clock.ended_at:
        yield _text(language, "met", ended=at(clock.ended_at), left=left)
    elif clock.state is State.CANCELLED and clock.ended_at:
        reason = _word(language, "reason", clock.cancelled_for or "")
        yield _text(language, "cancelled", ended=at(clock.ended_at), reason=reason)
    elif clock.due_at:
        yield _text(language, "due", due=at(clock.due_at))
    else:
        yield _text(language, "standing", left=left)


def _beside(of: Explanation, language: Language) -> Iterator[str]:
    """Yield the sentences after the end: the contract's own target, the attribution."""
    original, said = of.original_due_at, of.clock.attributed
    if original is not None and original != of.clock.due_at:
        yield _text(language, "original", due=instant_text(original, of.zone, language))
    if said is not None:
        by, party = said.by.partition(":")[2], _word(language, "party", said.party)
        at = instant_text(said.at, of.zone, language)
        yield _text(language, "whose", party=party, by=by, at=at)


def _span(window: Window, zone: str, language: Language) -> str:
    """Return a window as its day and times, or with both days if it spans two."""
    begins, ends = (
        instant.astimezone(ZoneInfo(zone)) for instant in (window.begins, window.ends)
    )
    last = (ends - timedelta(microseconds=1)).date()
    first = f"{day_text(begins, language)} {_time(begins)}"
    if begins.date() == last:
        return f"{first}–{'24:00' if last != ends.date() else _time(ends)}"
    return f"{first} – {day_text(ends, language)} {_time(ends)}"


def _time(local: datetime) -> str:
    return f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"


def _duration(seconds: int, language: Language) -> str:
    return duration_text(timedelta(seconds=seconds), language)
