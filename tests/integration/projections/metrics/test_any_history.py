"""Whatever happened, what PostgreSQL counts of any period is what the log says."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import count
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import Connection

from services.projections.metrics.definitions import DEFINITIONS
from services.projections.metrics.figures import Balance, Figures, Shown
from services.projections.metrics.period import (
    Disclosure,
    FilteredBy,
    GroupBy,
    PeriodQuery,
)
from services.projections.metrics.period_metrics import period_metrics
from services.projections.metrics.store import apply
from services.projections.metrics.tables import indexes, tables
from shared.domain.events.incident import (
    IncidentContacted,
    IncidentOpened,
    IncidentReopened,
    IncidentResolved,
)
from shared.domain.identifiers import incident_stream
from shared.domain.incident import IN_STOCK, Status
from shared.eventlog.entry import Entry
from tests.property.log.test_metrics_are_a_fold import replayed
from tests.support.examples import examples_with_servers
from tests.support.servers.servers import Database
from tests.support.strategies.histories import START, histories

pytestmark = pytest.mark.servers

_numbers = count(1)
_MINUTES = 32
_LATER = START + timedelta(days=30)
_UTC = Disclosure(ZoneInfo("UTC"))


@pytest.fixture(scope="module")
def store(shared_database: Database) -> Iterator[Connection[tuple[Any, ...]]]:
    # Not from a pool: the threads of one draw random numbers, as no strategy may.
    with psycopg.connect(shared_database.owner_dsn) as connection:
        yield connection


def _told(
    store: Connection[tuple[Any, ...]],
    entries: Sequence[Entry],
    bounds: Sequence[datetime],
    group_by: GroupBy | None = None,
    only: Mapping[FilteredBy, str] = MappingProxyType({}),
) -> tuple[Figures, Sequence[Figures], dict[str | None, Figures]]:
    """Return the whole, the parts and the groups, once `entries` were applied."""
    schema = f"rm_metrics_v{next(_numbers)}"
    with store.transaction(), store.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA {schema}")
        for statement in (*tables(schema), *indexes(schema)):
            cursor.execute(statement)
        half = len(entries) // 2
        for batch in (entries[:half], entries[half:]):
            apply(cursor, schema, batch)
        asked = PeriodQuery(bounds, (60, 600), group_by, _LATER, _UTC, only)
        found = period_metrics(cursor, schema, asked)
        cursor.execute(f"DROP SCHEMA {schema} CASCADE")
    return found.whole, found.parts, dict(found.groups)


@st.composite
def _cuts(draw: st.DrawFn) -> list[datetime]:
    """Draw the bounds of parts; every event is at a whole minute, as they are."""
    minutes = draw(st.sets(st.integers(0, _MINUTES), min_size=2, max_size=6))
    return [START + timedelta(minutes=each) for each in sorted(minutes)]


_few = examples_with_servers(40)


@_few
@given(histories(), _cuts())
def test_open_at_the_end_is_what_a_replay_up_to_then_finds(
    store: Connection[tuple[Any, ...]], entries: list[Entry], cuts: list[datetime]
) -> None:
    _, parts, _ = _told(store, entries, cuts)

    for end, part in zip(cuts[1:], parts, strict=True):
        known = replayed(entries, end).values()
        held = [one for one in known if one.status in IN_STOCK]
        awaiting = [one for one in held if one.status is Status.RESOLVED]
        assert part.balance.open_at_end == len(held)
        assert part.balance.awaiting_closure == len(awaiting)
        assert _is_true(part.balance)


@_few
@given(histories(), _cuts())
def test_first_contact_resolutions_are_what_a_count_by_the_definition_finds(
    store: Connection[tuple[Any, ...]], entries: list[Entry], cuts: list[datetime]
) -> None:
    _, parts, _ = _told(store, entries, cuts)

    judged = [one for ref in _refs(entries) if (one := _by_hand(entries, ref))]
    for start, end, part in zip(cuts, cuts[1:], parts, strict=False):
        within = [once for resolved_at, once in judged if start <= resolved_at < end]
        found = part.first_contact_resolution
        assert (found.resolved_at_first_contact, found.n) == (sum(within), len(within))


def _refs(entries: Sequence[Entry]) -> set[str]:
    return {entry.stream.removeprefix("incident-") for entry in entries}


def _by_hand(entries: Sequence[Entry], ref: str) -> tuple[datetime, bool] | None:
    """Return when a reported incident was first resolved, and whether at once."""
    own = [entry for entry in entries if entry.stream == incident_stream(ref)]
    states = [replayed(own[: n + 1], _LATER)[ref] for n in range(len(own))]
    first = next((n for n, e in enumerate(own) if _is(e, IncidentResolved)), None)
    inbound = [n for n, e in enumerate(own) if _is_inbound(e)]
    opening = own[0].event
    assert isinstance(opening, IncidentOpened)
    if first is None or opening.origin == "split":
        return None
    if opening.reporter is None and not any(n < first for n in inbound):
        return None
    over = (Status.RESOLVED, Status.CLOSED)
    moved_on = (n for n in range(first, len(own)) if states[n].status not in over)
    left = next(moved_on, None)
    came_back = left is not None and _is(own[left], IncidentReopened)
    teams = {state.team for state in states}
    return (
        own[first].recorded_at,
        len(inbound) <= 1 and len(teams) == 1 and not came_back,
    )


def _is(entry: Entry, kind: type[object]) -> bool:
    return isinstance(entry.event, kind)


def _is_inbound(entry: Entry) -> bool:
    event = entry.event
    return isinstance(event, IncidentContacted) and event.direction == "inbound"


@_few
@given(histories(), _cuts())
def test_parts_add_up_to_the_whole(
    store: Connection[tuple[Any, ...]], entries: list[Entry], cuts: list[datetime]
) -> None:
    whole, parts, _ = _told(store, entries, cuts)

    assert _is_true(whole.balance)
    assert parts[0].balance.open_before == whole.balance.open_before
    assert parts[-1].balance.open_at_end == whole.balance.open_at_end
    for name, definition in DEFINITIONS.items():
        if definition.adds_up:
            summed = [_counts(getattr(part, name)) for part in parts]
            assert _sum(summed) == _sum([_counts(getattr(whole, name))]), name


@_few
@given(histories(), _cuts(), st.sampled_from(["service", "client", "team"]))
def test_groups_add_up_to_the_whole_and_each_balance_is_true(
    store: Connection[tuple[Any, ...]],
    entries: list[Entry],
    cuts: list[datetime],
    group_by: GroupBy,
) -> None:
    whole, _, groups = _told(store, entries, cuts, group_by)

    assert all(_is_true(figures.balance) for figures in groups.values())
    assert sum(f.balance.open_at_end for f in groups.values()) == (
        whole.balance.open_at_end
    )
    for name in DEFINITIONS:
        summed = [_counts(getattr(figures, name)) for figures in groups.values()]
        assert _sum(summed) == _sum([_counts(getattr(whole, name))]), name


@_few
@given(histories(), _cuts(), st.sampled_from(["service", "client", "team", "priority"]))
def test_what_is_chosen_by_a_property_is_what_its_group_holds(
    store: Connection[tuple[Any, ...]],
    entries: list[Entry],
    cuts: list[datetime],
    chosen: FilteredBy,
) -> None:
    whole, _, groups = _told(store, entries, cuts, chosen)
    bands = whole.backlog_age or []
    assert sum(band.n for band in bands) == whole.balance.open_at_end

    for name in filter(None, groups):
        figures, parts, _ = _told(store, entries, cuts, only={chosen: name})

        assert figures == groups[name]
        assert parts[-1].balance.open_at_end == figures.balance.open_at_end


def _is_true(balance: Balance) -> bool:
    came = balance.recorded + balance.split + balance.unmerged
    came += balance.reopened_after_closure
    left = balance.closed + balance.cancelled + balance.redirected + balance.merged
    return balance.open_before + came - left == balance.open_at_end


_STANDING = {"open_before", "open_at_end", "awaiting_closure"}


def _counts(part: object, name: str = "") -> dict[str, int]:
    """Return every number that is a count, by where it stands; stocks left out."""
    match part:
        case Shown():
            inner = [(key, value) for key, value in part if key not in _STANDING]
        case dict():
            inner = list(part.items())
        case list():
            inner = [(str(_names(one)), one) for one in part]
        case int():
            return {name: part}
        case _:
            return {}
    counted: dict[str, int] = {}
    for key, value in inner:
        if key not in {"p50", "p90", "p95"}:
            counted |= _counts(value, f"{name}.{key}")
    return counted


def _names(part: Shown) -> list[object]:
    return [value for _, value in part if not isinstance(value, int | float)]


def _sum(parts: Sequence[dict[str, int]]) -> dict[str, int]:
    names = {name for part in parts for name in part}
    summed = {name: sum(part.get(name, 0) for part in parts) for name in names}
    return {name: n for name, n in summed.items() if n}
