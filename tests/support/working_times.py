"""Deadlines and working times that other desks state, from `working_times.yaml`."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ruamel.yaml import YAML

from shared.domain.policy.calendars import Calendar
from shared.domain.working_time import Span

FILE = Path(__file__).with_name("working_times.yaml")


@dataclass(frozen=True)
class Case:
    name: str
    calendar: Calendar
    start: datetime
    end: datetime
    """When so many `seconds` are used up, or just when somebody looked."""
    seconds: int
    pauses: tuple[Span, ...]
    is_deadline: bool


def cases() -> Iterator[Case]:
    for group in YAML(typ="safe", pure=True).load(FILE.read_text(encoding="utf-8")):
        written = group.pop("cases")
        calendar = Calendar(**group)
        for name, line in written.items():
            yield _case(name, calendar, line)


def _case(name: str, calendar: Calendar, line: str) -> Case:
    counted, _, pauses = line.partition(" less ")
    start, sign, given, _, found = counted.split()
    end, seconds = (found, given) if sign == "+" else (given, found)
    return Case(
        name=name,
        calendar=calendar,
        start=datetime.fromisoformat(start),
        end=datetime.fromisoformat(end),
        seconds=int(seconds),
        pauses=tuple(_pause(pause) for pause in pauses.split()),
        is_deadline=sign == "+",
    )


def _pause(written: str) -> Span:
    begins, ends = written.split("/")
    return datetime.fromisoformat(begins), datetime.fromisoformat(ends)
