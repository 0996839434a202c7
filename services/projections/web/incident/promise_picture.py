"""Draws a promise as a picture: SVG with a title, a description and the same as facts.

Pure: the answer of the API goes in. There are no scripts or style attributes, so the
content security policy of the pages allows it. Whatever has a meaning has a shape or a
pattern of its own: nobody needs colour to read it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from markupsafe import Markup

from services.projections.timeline.sentences import duration
from shared.i18n.catalog import Language, text_of
from shared.i18n.formats import short_instant_text

WIDTH = 320
HEIGHT = 64
_TOP, _BOTTOM = 16, 44
_SPENT = (24, 12)
"""Where spent time is drawn: y and height, inside the band of open hours."""
_GAP = 0.4
"""Two spans closer than this are drawn as one: nobody could see the gap."""
_LABEL = 120
"""The width that an instant needs as a label."""


_Span = tuple[datetime, datetime]


class Fact(NamedTuple):
    """What the picture shows, in words: the name of a value, and the value."""

    name: str
    value: str


@dataclass(frozen=True)
class PromisePicture:
    """The picture of a promise, and its text equivalent."""

    target: str
    title: str
    svg: Markup
    facts: tuple[Fact, ...]


@dataclass(frozen=True)
class _Axis:
    begins: datetime
    ends: datetime

    def x(self, at: datetime) -> float:
        """Return where an instant is, in 0 to `WIDTH`."""
        whole = (self.ends - self.begins).total_seconds()
        part = (at - self.begins).total_seconds()
        return round(WIDTH * min(1.0, max(0.0, part / whole if whole else 1.0)), 1)

    def cut(self, spans: Iterable[_Span]) -> Iterator[tuple[float, float]]:
        """Yield the visible parts of spans in order, joined if they nearly touch."""
        held: tuple[float, float] | None = None
        for begins, ends in spans:
            left, right = self.x(begins), self.x(ends)
            if right <= left:
                continue
            if held and left - held[1] < _GAP:
                held = held[0], max(held[1], right)
                continue
            if held:
                yield held
            held = left, right
        if held:
            yield held


def promise_pictures(
    answer: Mapping[str, Any], cycle: int, language: Language, zone: str
) -> tuple[PromisePicture, ...]:
    """Return a picture of the latest promise of each target in a cycle.

    `answer` is that of `/v1/incidents/{ref}/sla/intervals`.
    """
    latest = {
        item["promise"]["target"]: item
        for item in answer["items"]
        if item["promise"]["cycle"] == cycle
    }
    return tuple(
        promise_picture(item, answer["at"], f"promise-{n}", language, zone)
        for n, item in enumerate(latest.values(), 1)
    )


def promise_picture(
    item: Mapping[str, Any], at: str, name: str, language: Language, zone: str
) -> PromisePicture:
    """Return the picture of one promise; `name` is unique on the page."""
    promise = item["promise"]
    target = text_of(language, "page.target", promise["target"])
    state = text_of(language, "page.status", promise["state"])
    title = f"{target[:1].upper()}{target[1:]}: {state}"
    if language == "fr":
        title = title.replace(":", " :", 1)
    facts = tuple(_facts(item, at, language, zone))
    drawn = Markup("").join(_shapes(item, at, name, language, zone))
    svg = Markup(
        '<svg class="picture" role="img" viewBox="0 0 {} {}" '
        'aria-labelledby="{}-title {}-facts"><title id="{}-title">{}</title>'
        '<desc id="{}-facts">{}</desc>{}</svg>'
    ).format(
        *(WIDTH, HEIGHT, name, name, name, title, name),
        "; ".join(f"{fact.name} {fact.value}" for fact in facts),
        drawn,
    )
    return PromisePicture(promise["target"], title, svg, facts)


def _facts(
    item: Mapping[str, Any], at: str, language: Language, zone: str
) -> Iterator[Fact]:
    promise = item["promise"]

    def fact(name: str, value: str | None) -> Iterator[Fact]:
        if value:
            yield Fact(text_of(language, "page.picture", name), value)

    def instant(written: str | None) -> str | None:
        return written and short_instant_text(_instant(written), zone, language)

    left = promise["left_seconds"]
    yield from fact("started", instant(promise["started_at"]))
    yield from fact("promised", duration(promise["target_seconds"]))
    yield from fact("spent", _seconds(promise["elapsed_seconds"]))
    if promise["ended_at"] is None and left is not None:
        yield from fact("left" if left >= 0 else "over", _seconds(abs(left)))
    for each in item["stopped"]:
        span = f"{instant(each['begins_at'])} – {instant(each['ends_at'])}"
        yield from fact(f"stopped_{each['why']}", span)
    original, due = promise["original_due_at"], promise["due_at"]
    yield from fact("original", instant(original if original != due else None))
    yield from fact("asked", instant(_asked(promise)))
    yield from fact("agreed" if promise["agreed_seconds"] else "due", instant(due))
    yield from fact("breached", instant(promise["breached_at"]))
    yield from fact("ended", instant(promise["ended_at"]))
    if promise["ended_at"] is None:
        yield from fact("now", instant(at))


def _shapes(
    item: Mapping[str, Any], at: str, name: str, language: Language, zone: str
) -> Iterator[Markup]:
    promise = item["promise"]
    axis = _Axis(_instant(item["begins_at"]), _instant(item["ends_at"]))
    opened = _spans(item["open"])
    stopped = _spans(item["stopped"])
    until = _read(promise["ended_at"]) or _instant(at)
    broken = _read(promise["breached_at"]) or until
    spent = _without(opened, stopped, until)
    yield _pattern(name, "wait", "M0 6 6 0")
    yield _pattern(name, "late", "M0 0 6 6M0 6 6 0")
    band = (_TOP, _BOTTOM - _TOP)
    yield from _rects(axis, [(axis.begins, axis.ends)], "closed", band)
    yield from _rects(axis, opened, "hours", band)
    yield from _rects(axis, stopped, "wait", band, f"{name}-wait")
    yield from _rects(axis, _clipped(spent, axis.begins, broken), "spent", _SPENT)
    late = [*_clipped(spent, broken, until)]
    yield from _rects(axis, late, "late", _SPENT)
    yield from _rects(axis, late, "late-pattern", _SPENT, f"{name}-late")
    yield from _marks(axis, promise, at, language)
    yield from _labels(axis, promise, language, zone)


def _marks(
    axis: _Axis, promise: Mapping[str, Any], at: str, language: Language
) -> Iterator[Markup]:
    """Yield a line or a sign for each instant: their shapes differ."""
    original, due = promise["original_due_at"], promise["due_at"]
    for kind, when, path in (
        ("original", original if original != due else None, "M{x} 12V48"),
        ("asked", _asked(promise), "M{x} 12V48"),
        ("due", due, "M{x} 8V50"),
        ("breach", promise["breached_at"], "M{a} 4 {b} 14M{b} 4 {a} 14"),
        ("end", promise["ended_at"], "M{a} 30 {x} 25 {b} 30 {x} 35Z"),
        ("now", None if promise["ended_at"] else at, "M{a} 10H{b}L{x} 18Z"),
    ):
        if when is None:
            continue
        x = min(WIDTH - 1.0, max(1.0, axis.x(_instant(when))))
        if kind in ("breach", "end", "now"):
            x = min(WIDTH - 5.0, max(5.0, x))
        drawn = path.format(x=x, a=round(x - 5, 1), b=round(x + 5, 1))
        yield Markup('<path class="mark-{}" d="{}"/>').format(kind, drawn)
    if promise["ended_at"] is None:
        word = text_of(language, "page.picture", "now")
        x = min(WIDTH - 22.0, max(22.0, axis.x(_instant(at))))
        yield _text(x, 8, "middle", word)


def _labels(
    axis: _Axis, promise: Mapping[str, Any], language: Language, zone: str
) -> Iterator[Markup]:
    def label(at: datetime) -> str:
        return short_instant_text(at, zone, language)

    yield _text(0, 60, "start", label(axis.begins))
    if due := _read(promise["due_at"]):
        x = max(2.0 * _LABEL, axis.x(due))
        yield _text(x, 60, "end", label(due), "due-label")


def _text(x: float, y: int, anchor: str, words: str, kind: str = "label") -> Markup:
    return Markup('<text class="{}" x="{}" y="{}" text-anchor="{}">{}</text>').format(
        kind, x, y, anchor, words
    )


def _pattern(name: str, kind: str, path: str) -> Markup:
    return Markup(
        '<pattern id="{}-{}" width="6" height="6" patternUnits="userSpaceOnUse">'
        '<path class="{}-line" d="{}"/></pattern>'
    ).format(name, kind, kind, path)


def _rects(
    axis: _Axis,
    spans: Iterable[_Span],
    kind: str,
    band: tuple[int, int],
    pattern: str | None = None,
) -> Iterator[Markup]:
    fill = Markup(' fill="url(#{})"').format(pattern) if pattern else ""
    y, height = band
    for left, right in axis.cut(spans):
        yield Markup(
            '<rect class="{}" x="{}" y="{}" width="{}" height="{}"{}/>'
        ).format(kind, left, y, max(0.6, round(right - left, 1)), height, fill)


def _without(
    opened: Sequence[_Span], stopped: Sequence[_Span], until: datetime
) -> list[_Span]:
    """Return the open spans up to an instant, without the stopped ones."""
    left = [(begins, min(ends, until)) for begins, ends in opened if begins < until]
    for since, to in stopped:
        left = [
            part
            for begins, ends in left
            for part in ((begins, min(ends, since)), (max(begins, to), ends))
            if part[0] < part[1]
        ]
    return left


def _clipped(
    spans: Iterable[_Span], begins: datetime, ends: datetime
) -> Iterator[_Span]:
    for since, until in spans:
        if max(since, begins) < min(until, ends):
            yield max(since, begins), min(until, ends)


def _spans(written: Iterable[Mapping[str, str]]) -> list[_Span]:
    return [(_instant(w["begins_at"]), _instant(w["ends_at"])) for w in written]


def _asked(promise: Mapping[str, Any]) -> str | None:
    """Return until when an extension asks for, if it is not answered yet."""
    found = [each for each in promise["extensions"] if each["state"] == "proposed"]
    return found[-1]["proposed_due_at"] if found else None


def _seconds(seconds: int | None) -> str | None:
    return None if seconds is None else duration(seconds)


def _read(written: str | None) -> datetime | None:
    return None if written is None else _instant(written)


def _instant(written: str) -> datetime:
    return datetime.fromisoformat(written)
