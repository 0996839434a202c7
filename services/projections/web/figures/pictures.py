"""The charts of a period: which numbers each of them shows. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup

from services.projections.web.figures.charts import (
    Chart,
    Series,
    bars,
    columns,
    lines,
)
from shared.i18n.catalog import Language, text_of
from shared.i18n.formats import number_text, share_text, short_day_text

_TARGETS = ("tto", "ttr")
Found = Mapping[str, Any]


@dataclass(frozen=True)
class Picture:
    """A chart, drawn, with what its table shows."""

    chart: Chart
    svg: Markup


def pictures_of(found: Found, language: Language) -> tuple[Picture, ...]:
    """Return the charts of an answer of `/v1/metrics` that is divided into parts."""
    return (
        _flow(found, language),
        _promises(found, language),
        _backlog(found, language),
    )


def load_picture(found: Found, language: Language) -> Picture:
    """Return the chart of an answer of `/v1/load`: each team at each level, now."""
    items = found["items"]
    chart = Chart(
        "load",
        text_of(language, "page.chart", "load"),
        [f"{each['team']} {each['level'].upper()}" for each in items],
        [
            _series("at_work", [each["at_work"] for each in items], language),
            _series("breached", [each["breached"] for each in items], language),
        ],
        partial(_count, language),
    )
    return Picture(chart, bars(chart))


def _flow(found: Found, language: Language) -> Picture:
    parts = found["periods"]
    figures = [each["figures"] for each in parts]
    chart = Chart(
        "flow",
        text_of(language, "page.chart", f"flow_{found['every']}"),
        [_label(each, found["zone"], language) for each in parts],
        [
            _series("recorded", [f["balance"]["recorded"] for f in figures], language),
            _series(
                "resolved", [f["reopened"]["resolutions"] for f in figures], language
            ),
        ],
        partial(_count, language),
    )
    return Picture(chart, columns(chart))


def _promises(found: Found, language: Language) -> Picture:
    weeks = _weeks(found) if found["every"] == "day" else _parts(found)
    every = "month" if found["every"] == "month" else "week"
    chart = Chart(
        "promises",
        text_of(language, "page.chart", f"promises_{every}"),
        [short_day_text(day, language) for day in weeks],
        [
            _series(target, [_share(held[target]) for held in weeks.values()], language)
            for target in _TARGETS
        ],
        lambda share: share_text(share, language),
        ceiling=1.0,
    )
    return Picture(chart, lines(chart))


def _backlog(found: Found, language: Language) -> Picture:
    bands = found["figures"]["backlog_age"]
    chart = Chart(
        "backlog",
        text_of(language, "page.chart", "backlog"),
        [text_of(language, "page.age", each["age"]) for each in bands],
        [_series("open", [each["n"] for each in bands], language)],
        partial(_count, language),
    )
    return Picture(chart, columns(chart))


_Kept = dict[str, tuple[int, int]]
"""How many promises of each target were met, and how many ended."""


def _parts(found: Found) -> dict[date, _Kept]:
    return {
        _day(each, found["zone"]): _kept(each["figures"]) for each in found["periods"]
    }


def _weeks(found: Found) -> dict[date, _Kept]:
    """Return the days of each week together; promises kept add up."""
    weeks: dict[date, _Kept] = {}
    first = min(_parts(found), default=None)
    for day, kept in _parts(found).items():
        monday = day - timedelta(days=day.weekday())
        begins = max(monday, first or monday)
        held = weeks.setdefault(begins, dict.fromkeys(_TARGETS, (0, 0)))
        for target, (met, ended) in kept.items():
            held[target] = (held[target][0] + met, held[target][1] + ended)
    return weeks


def _kept(figures: Found) -> _Kept:
    return {
        target: (one["met"], one["met"] + one["breached"])
        for target in _TARGETS
        for one in (figures["sla"][target],)
    }


def _share(kept: tuple[int, int]) -> float | None:
    met, ended = kept
    return met / ended if ended else None


def _series(name: str, values: Sequence[float | None], language: Language) -> Series:
    return Series(text_of(language, "page.chart", name), values)


def _count(language: Language, value: float) -> str:
    return number_text(value, language)


def _label(part: Found, zone: str, language: Language) -> str:
    return short_day_text(_day(part, zone), language)


def _day(part: Found, zone: str) -> date:
    return datetime.fromisoformat(part["from"]).astimezone(ZoneInfo(zone)).date()
