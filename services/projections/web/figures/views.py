"""The metrics as the page shows them: a row for each number, with n and the change."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from services.projections.timeline.sentences import duration
from shared.i18n.catalog import Language, text_of
from shared.i18n.formats import number_text, share_text

Figures = Mapping[str, Any]
Kind = Literal["count", "share", "duration"]
_MINUTE = 60


class Number(NamedTuple):
    """Where a number stands in the figures, and where its n does."""

    path: str
    kind: Kind = "count"
    n: str = ""
    is_optional: bool = False
    """Whether it is left out if it is zero in both periods."""


_TIMES = tuple(
    Number(f"{clock}_seconds.{part}", "duration", "n")
    for clock in ("working", "wall_clock")
    for part in ("p50", "p90")
)
_PARTIES = ("user", "vendor", "provider", "unattributed")
"""Who is responsible for a breach: together, all breaches."""
_ENDED = "ended"
"""The n of a share of targets: how many were kept or not, in time or late."""
_NUMBERS: Mapping[str, Sequence[Number]] = {
    "satisfaction": (
        Number("share", "share", "n"),
        Number("response_rate", "share", "invited"),
    ),
    "balance": (
        Number("open_before"),
        Number("recorded"),
        Number("reopened_after_closure"),
        Number("closed"),
        Number("cancelled"),
        Number("open_at_end"),
        Number("awaiting_closure"),
    ),
    "resolved_within": (Number("standing"),),
    "time_to_acknowledge": (
        Number("wall_clock_seconds.p50", "duration", "n"),
        Number("wall_clock_seconds.p90", "duration", "n"),
        Number("still_waiting"),
    ),
    "time_to_restore": _TIMES,
    "time_to_resolve": _TIMES,
    "reported": (
        Number("user_only"),
        Number("monitoring_then_user"),
        Number("monitoring_only"),
        Number("desk"),
    ),
    "first_contact_resolution": (Number("share", "share", "n"),),
    "reopened": (Number("rate", "share", "resolutions"),),
    "ping_pong": (Number("returns"),),
    "quick_fixes": (Number("root_cause_open"), Number("reopened")),
    "solutions": (Number("noted"), Number("share", "share", "at_n1")),
    "problems": (Number("from_incidents"), Number("found_by_staff")),
    "changes": (Number("requested"), Number("planned"), Number("cancelled")),
}
"""The numbers that are shown of each metric; the rows have them all."""


@dataclass(frozen=True)
class Row:
    """A number in words: of the period, of the one before, and the difference."""

    label: str
    value: str
    n: str
    before: str
    before_n: str
    """The n of the number of the period before, empty where there is none."""
    change: str


@dataclass(frozen=True)
class Metric:
    """A metric with its rows; `name` is that of its definition."""

    name: str
    title: str
    rows: tuple[Row, ...]


def metrics_of(figures: Figures, before: Figures, language: Language) -> list[Metric]:
    """Return the metrics of a period beside those of the period before."""
    return [
        Metric(name, text_of(language, "page.metric", name), rows)
        for name in figures
        if (rows := tuple(_rows(name, figures, before, language)))
    ]


def _rows(
    name: str, figures: Figures, before: Figures, language: Language
) -> Iterator[Row]:
    for label, number in _numbers(name, figures[name], language):
        value, was = (_at(each[name], number.path) for each in (figures, before))
        n, n_before = (_at(each[name], number.n) for each in (figures, before))
        if number.is_optional and not value and not was:
            continue
        yield Row(
            label,
            in_words(value, number.kind, language),
            "" if n is None else number_text(n, language),
            in_words(was, number.kind, language),
            "" if n_before is None or was is None else number_text(n_before, language),
            change(value, was, number.kind, language),
        )


def _numbers(
    name: str, part: object, language: Language
) -> Iterator[tuple[str, Number]]:
    """Yield the numbers of a metric with their labels."""
    for number in _NUMBERS.get(name, ()):
        yield text_of(language, "page.number", f"{name}.{number.path}"), number
    for item in map(str, _items(part)):
        yield from _of_item(name, item, language)


def _of_item(name: str, item: str, language: Language) -> Iterator[tuple[str, Number]]:
    """Yield the numbers of a band, target, level or channel; none of other parts."""
    match name:
        case "backlog_age":
            yield text_of(language, "page.age", item), Number(f"{item}.n")
        case "sla":
            yield from _of_target(item, language)
        case "ola":
            label = text_of(language, "page.target", f"ola_{item}")
            yield label, Number(f"{item}.share", "share", f"{item}.{_ENDED}")
        case "dwell":
            for part in ("p50", "p95"):
                words = text_of(language, "page.number", part)
                number = Number(f"{item}.{part}", "duration", f"{item}.n")
                yield f"{item.upper()}, {words}", number
        case "answering":
            label = text_of(language, "timeline.channel", item)
            yield label, Number(f"{item}.share", "share", f"{item}.{_ENDED}")
        case _:
            return


def _of_target(target: str, language: Language) -> Iterator[tuple[str, Number]]:
    name = text_of(language, "page.target", target)
    for share in ("share", "against_original", "against_agreed"):
        words = text_of(language, "page.number", f"sla.{share}")
        number = Number(f"{target}.{share}", "share", f"{target}.{_ENDED}")
        yield f"{name[:1].upper()}{name[1:]}, {words}", number
    words = text_of(language, "page.number", "sla.breached")
    yield f"{name[:1].upper()}{name[1:]}, {words}", Number(f"{target}.breached")
    for party in _PARTIES:
        path = f"{target}.breached_by.{party}"
        words = text_of(language, "page.number", f"sla.breached_by.{party}")
        yield words, Number(path, is_optional=True)


def _items(part: object) -> Sequence[object]:
    """Return the names of the items of a metric that has some."""
    match part:
        case list():
            return [_name_of(each) for each in part]
        case dict():
            return list(part)
        case _:
            return ()


def _name_of(item: Mapping[str, object]) -> object:
    return item["age"] if "age" in item else item.get("channel")


def _at(part: object, path: str) -> float | None:
    """Return the number at a path; None where the period has nothing of it."""
    name, _, rest = path.partition(".")
    found = _child(part, name)
    if rest:
        return _at(found, rest)
    return found if isinstance(found, int | float) else None


def _child(part: object, name: str) -> object:
    """Return what has a name; items of a list are named by their age or channel."""
    match part:
        case list():
            return next((each for each in part if _name_of(each) == name), None)
        case dict() if name == _ENDED:
            kinds = ("met", "breached") if "met" in part else ("in_time", "late")
            return sum(part[kind] for kind in kinds)
        case dict():
            return part.get(name)
        case _:
            return None


def in_words(value: float | None, kind: Kind, language: Language) -> str:
    """Return a number in words, a dash for None."""
    if value is None:
        return "–"
    match kind:
        case "share":
            return share_text(value, language)
        case "duration":
            return duration(_whole_minutes(value))
        case "count":
            return number_text(value, language)


def change(
    value: float | None, was: float | None, kind: Kind, language: Language
) -> str:
    """Return the difference with its sign; shares differ by points of percent."""
    if value is None or was is None:
        return ""
    match kind:
        case "share":
            points = round(100 * value) - round(100 * was)
            sized = text_of(language, "page.number", "points").format(
                n=number_text(abs(points), language)
            )
            difference: float = points
        case "duration":
            difference = _whole_minutes(value) - _whole_minutes(was)
            sized = duration(int(abs(difference)))
        case "count":
            difference = value - was
            sized = number_text(abs(difference), language)
    if difference == 0:
        return "="
    return f"{'+' if difference > 0 else '−'}{sized}"


def _whole_minutes(seconds: float) -> int:
    """Return a duration to the minute; what is shorter than one, to the second."""
    whole = int(seconds)
    return whole if whole < _MINUTE else round(whole / _MINUTE) * _MINUTE
