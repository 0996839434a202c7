"""Strategies for documents that are policies, as somebody may write them."""

from typing import Any

from hypothesis import strategies as st

Document = dict[str, Any]

_TEAMS = ["desk", "support", "studies"]
_PEOPLE = ["ada", "bo.b", "cy-d", "d_e"]
_SERVICES = ["web", "mail", "unknown"]
_CALENDARS = ["paris", "always"]
_LEVELS = ["high", "medium", "low"]
_PRIORITIES = ["p1", "p2", "p3", "p4"]
_DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

lengths = st.builds(
    lambda hours, minutes, seconds: f"{hours}h{minutes}m{seconds}s",
    st.integers(0, 999),
    st.integers(0, 500),
    st.integers(1, 500),
)
percents = st.integers(1, 100).map(lambda number: f"{number}%")
marks = (
    st.integers(1, 1_000).map(lambda number: f"{number}%")
    | lengths.map(lambda length: f"{length.lstrip('0hm')} before")
    | st.sampled_from(["1s after", "999h before"])
)
dates = st.dates().map(lambda day: day.isoformat())
local_times = st.datetimes().map(lambda at: at.isoformat(timespec="minutes"))
sentences = st.text(st.characters(categories=["L", "Zs"]), min_size=1, max_size=20)
texts = st.fixed_dictionaries({"fr": sentences, "en": sentences})
people = st.lists(st.sampled_from(_PEOPLE), min_size=1, max_size=4, unique=True)


def some_of(names: list[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True)


@st.composite
def weekly_hours(draw: st.DrawFn) -> Document:
    days = draw(st.lists(st.sampled_from(_DAYS), min_size=1, unique=True))
    minutes = st.integers(0, 24 * 60 - 1)
    cuts = draw(st.lists(minutes, min_size=2, max_size=4, unique=True).map(sorted))
    times = [f"{cut // 60:02}:{cut % 60:02}" for cut in cuts]
    windows = [f"{a}-{b}" for a, b in zip(times[::2], times[1::2], strict=False)]
    return {day: windows for day in days}  # noqa: C420 - each day its own list


calendars = st.fixed_dictionaries(
    {
        "timezone": st.sampled_from(["Europe/Paris", "America/Toronto", "UTC"]),
        "weekly_hours": weekly_hours(),
    },
    optional={
        "public_holidays": st.sampled_from(["FR", "CA-QC"]),
        "closed": st.lists(dates | st.just("12-24 12:00-24:00"), max_size=3),
        "open": st.lists(st.just("2025-12-06 09:00-12:00"), max_size=2),
    },
)
by_urgency = st.fixed_dictionaries(
    {level: st.sampled_from(_PRIORITIES) for level in _LEVELS}
)
priorities = st.fixed_dictionaries(
    {level: by_urgency for level in _LEVELS},  # noqa: C420 - strategies are values
    optional={"override": st.fixed_dictionaries({"roles": some_of(_TEAMS)})},
)
by_priority = st.fixed_dictionaries({each: lengths for each in _PRIORITIES})  # noqa: C420
stays = lengths | percents | st.tuples(lengths, percents).map(list)
targets = st.fixed_dictionaries(
    {"tto": by_priority, "ttr": by_priority},
    optional={
        "update": st.fixed_dictionaries({}, optional={"p1": lengths, "p4": lengths}),
        "levels": st.fixed_dictionaries(
            {}, optional={"n1": stays, "n2": percents | lengths}
        ),
        "answer": st.fixed_dictionaries({}, optional={"phone": lengths}),
        "warn": st.lists(marks, max_size=1),
    },
)
services = st.fixed_dictionaries(
    {
        "name": texts,
        "criticality": st.sampled_from(_LEVELS),
        "support": some_of(_TEAMS),
    }
)
also = st.fixed_dictionaries(
    {
        "when": st.fixed_dictionaries(
            {"kind": some_of(["user", "monitoring", "desk"])},
            optional={
                "channel": some_of(["phone", "email", "web"]),
                "priority": some_of(_PRIORITIES),
            },
        ),
        "targets": st.just("standard"),
    },
    optional={"from": dates},
)
contracts = st.fixed_dictionaries(
    {
        "client": st.just("c"),
        "from": dates,
        "services": some_of(_SERVICES),
        "calendar": st.sampled_from(_CALENDARS),
        "targets": st.just("standard"),
    },
    optional={
        "p1_calendar": st.sampled_from(_CALENDARS),
        "may_agree": people,
        "also": st.dictionaries(st.sampled_from(["x", "y"]), also, max_size=2),
    },
)
teams = st.fixed_dictionaries(
    {"members": st.just(_PEOPLE), "manager": st.sampled_from(_PEOPLE)},
    optional={
        "level": st.sampled_from(["n1", "n2", "n3"]),
        "skills": st.fixed_dictionaries({"web": people}),
    },
)
schedules = st.fixed_dictionaries(
    {
        "timezone": st.just("Europe/Paris"),
        "rotation": st.fixed_dictionaries(
            {
                "type": st.sampled_from(["hourly", "daily", "weekly", "monthly"]),
                "shift_length": st.integers(1, 50),
                "start": local_times,
                "participants": people,
            }
        ),
    }
)
pages = st.fixed_dictionaries(
    {"team": st.sampled_from(_TEAMS), "who": st.sampled_from(["manager", "members"])}
) | st.fixed_dictionaries(
    {"schedule": st.just("oncall"), "who": st.sampled_from(["on_call", "next"])}
)
sources = st.fixed_dictionaries(
    {"type": st.sampled_from(["native", "alertmanager", "zabbix"])},
    optional={
        "key": st.sampled_from(["env:KEY", "file:/run/key"]),
        "service": st.sampled_from([*_SERVICES, "labels.app"]),
        "urgency": st.fixed_dictionaries(
            {}, optional={"info": st.sampled_from(_LEVELS)}
        ),
    },
)
documents: st.SearchStrategy[Document] = st.fixed_dictionaries(
    {
        "version": st.just(1),
        "desk": st.fixed_dictionaries(
            {
                "team": st.sampled_from(_TEAMS),
                "timezone": st.just("Europe/Paris"),
                "languages": st.sampled_from([["fr"], ["en", "fr"]]),
                "close_after": lengths,
                "reopen_within": lengths,
            }
        ),
        "calendars": st.fixed_dictionaries(dict.fromkeys(_CALENDARS, calendars)),
        "priorities": priorities,
        "services": st.fixed_dictionaries(dict.fromkeys(_SERVICES, services)),
        "teams": st.fixed_dictionaries(dict.fromkeys(_TEAMS, teams)),
        "targets": st.fixed_dictionaries({"standard": targets}),
        "schedules": st.fixed_dictionaries({"oncall": schedules}),
    },
    optional={
        "contracts": st.dictionaries(st.sampled_from(["a", "b"]), contracts),
        "escalation": st.fixed_dictionaries(
            {"nobody_on_call": st.fixed_dictionaries({"page": pages})}
        ),
        "sources": st.dictionaries(st.sampled_from(["s", "t"]), sources),
    },
)
