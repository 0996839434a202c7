"""Explains the due date of a promise: the account of its clock, at any instant.

Also its intervals on a time axis, to draw it.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Annotated, Self

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime, Field

from services.projections.api.answers import Answer, refusals
from services.projections.api.callers import SomeReader, sight_of
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.position import history, known, no_incident
from services.projections.api.promises.views import ConsumptionView, PromiseView
from services.projections.api.query_params import InstantQuery, PreferredLanguage, Ref
from services.projections.api.unreadable import UnreadableView, unreadable_views
from services.projections.generations import AsOf
from services.projections.history.history import (
    UNCOUNTABLE,
    ClockState,
    Policies,
    Wording,
    hours_under,
    standings,
    whole,
    wording,
)
from services.projections.history.promise_account import sentences
from services.projections.history.promise_intervals import intervals
from services.projections.history.shares import shares, turns, waits
from services.projections.sight import Sight
from services.projections.snapshots import snapshot
from services.projections.timeline.sentences import sentence
from shared.domain.events import SlaEvent, is_sla_event
from shared.domain.events.sla import Target
from shared.domain.identifiers import IncidentRef
from shared.domain.sla import Clock, ClockName, Explanation, consumed, explained
from shared.domain.sla.explanation import Why
from shared.domain.working_time import Hours, Window
from shared.eventlog.entry import Entry
from shared.i18n.catalog import Language

router = APIRouter(tags=["incidents"])


class IntervalsQuery(InstantQuery):
    """Which promises."""

    target: Target | None = None
    cycle: Annotated[int, Field(ge=1)] | None = None


class ExplanationQuery(IntervalsQuery):
    """Which promises, and in which language."""

    lang: Language | None = None
    """The language of the text. Default: the first choice of `Accept-Language`."""


class WindowView(Answer):
    """A span of open hours [begins_at, ends_at), or a part of it that was paused."""

    begins_at: AwareDatetime
    ends_at: AwareDatetime
    stood_for: str | None
    """Why it did not count: a pause, or `over`; null if it counts."""
    seconds: int
    together_seconds: int
    """The sum of counted seconds up to `ends_at`."""

    @classmethod
    def of(cls, window: Window, of: Explanation) -> Self:
        """Return the view of a window."""
        return cls(
            begins_at=window.begins,
            ends_at=window.ends,
            stood_for=None if window.pause is None else of.stops[window.pause].why,
            seconds=window.seconds,
            together_seconds=window.together,
        )


class Happened(Answer):
    """An event about the promise."""

    position: int
    recorded_at: AwareDatetime
    kind: str
    sentence: str


class PromiseExplained(Answer):
    """A promise, and the windows that add up to it."""

    promise: PromiseView
    zone: str
    """The time zone of its calendar, in which the text gives days and times."""
    until: AwareDatetime
    """The end of the account: when it is due, was paused, or ended."""
    windows: list[WindowView]
    seconds: int
    """Working seconds of all windows; equal to `target_seconds` if it is due."""
    cut: bool
    """Whether windows were left out."""
    consumed: ConsumptionView
    """Consumed time by support level and by party, at the instant of the answer."""
    happened: list[Happened]
    text: list[str]
    """The same explanation in sentences."""


class Explanations(Answer):
    """The promises about an incident, each with its explanation."""

    incident: IncidentRef
    items: list[PromiseExplained]
    unreadable: list[UnreadableView]
    """Events about the incident that could not be used."""
    at: AwareDatetime
    """The instant for which the remaining time is computed."""
    as_of: AsOf


class IntervalView(Answer):
    """A period [begins_at, ends_at)."""

    begins_at: AwareDatetime
    ends_at: AwareDatetime


class StoppedView(IntervalView):
    """A period that does not count towards the promise."""

    why: Why
    """Whom it waited for, or `over` while it was considered over."""


class PromiseOnAxis(IntervalView):
    """A promise on a time axis, from its start to the latest instant that concerns it.

    That is when it is due, by the contract or by an agreement, when it ended, or now.
    """

    promise: PromiseView
    zone: str
    """The time zone of its calendar."""
    open: list[IntervalView]
    """When its calendar is open, pauses included."""
    stopped: list[StoppedView]
    cut: bool
    """Whether open intervals at the end were left out."""


class Intervals(Answer):
    """The promises about an incident, each on a time axis."""

    incident: IncidentRef
    items: list[PromiseOnAxis]
    unreadable: list[UnreadableView]
    """Events about the incident that could not be used."""
    at: AwareDatetime
    """The instant at which remaining times were computed and open pauses end."""
    as_of: AsOf


@router.get("/v1/incidents/{ref}/sla/explain", responses=refusals(404))
async def explain_promises(  # each is a part of the request
    ref: Ref,
    query: Annotated[ExplanationQuery, Query()],
    desk: DeskHere,
    caller: SomeReader,
    liked: PreferredLanguage,
    response: Response,
) -> Explanations:
    """Explain why each promise is due when it is, window by window.

    Includes its policy and calendar, its pauses and their reasons, its outcome, and who
    consumed its time; as it is, or as it was recorded at an instant.
    """
    language = query.lang or liked
    response.headers["Content-Language"] = language
    response.headers["Vary"] = "Accept-Language"
    return await desk.blocking(
        _explanations, desk, ref, query, language, sight_of(caller)
    )


def _explanations(
    desk: Desk,
    ref: str,
    query: ExplanationQuery,
    language: Language,
    sight: Sight,
) -> Explanations:
    with snapshot(desk.log) as cursor:
        upto = known(cursor, query.at, query.min_position)
        past = history(desk.log, cursor, ref, upto, sight)
    found = whole(past)
    if found is None:
        raise no_incident(ref)
    at = query.at or desk.clock()
    wanted = [clock for clock in found.clocks if _is_wanted(clock, query)]
    return Explanations(
        incident=ref,
        items=[
            item
            for clock in wanted
            for item in _items(clock, desk, past.entries, at, language)
        ],
        unreadable=unreadable_views(found.unreadable, sight),
        at=at,
        as_of=upto,
    )


@router.get("/v1/incidents/{ref}/sla/intervals", responses=refusals(404))
async def get_intervals(
    ref: Ref,
    query: Annotated[IntervalsQuery, Query()],
    desk: DeskHere,
    caller: SomeReader,
) -> Intervals:
    """Show each promise on a time axis: open hours and pauses, to draw it."""
    return await desk.blocking(_intervals, desk, ref, query, sight_of(caller))


def _intervals(desk: Desk, ref: str, query: IntervalsQuery, sight: Sight) -> Intervals:
    with snapshot(desk.log) as cursor:
        upto = known(cursor, query.at, query.min_position)
        past = history(desk.log, cursor, ref, upto, sight)
    found = whole(past)
    if found is None:
        raise no_incident(ref)
    at = query.at or desk.clock()
    return Intervals(
        incident=ref,
        items=[
            item
            for standing in standings(found.clocks, desk.policies, at)
            if _is_wanted(standing.clock, query)
            for item in _on_axis(standing, desk.policies, at, found.wording)
        ],
        unreadable=unreadable_views(found.unreadable, sight),
        at=at,
        as_of=upto,
    )


def _on_axis(
    standing: ClockState, policies: Policies, at: AwareDatetime, words: Wording
) -> Iterator[PromiseOnAxis]:
    """Yield the promise on its axis, if its open hours are known and can be counted."""
    hours = hours_under(standing.clock, policies)
    if hours is not None and standing.elapsed is not None:
        with suppress(*UNCOUNTABLE):
            yield on_axis(standing, hours, at, words)


def on_axis(
    standing: ClockState, hours: Hours, at: AwareDatetime, words: Wording
) -> PromiseOnAxis:
    """Return a promise on a time axis that ends at `at` or later."""
    axis = intervals(standing.clock, hours, at)
    return PromiseOnAxis(
        promise=PromiseView.of(standing, words),
        zone=hours.zone.key,
        begins_at=axis.begins,
        ends_at=axis.ends,
        open=[
            IntervalView(begins_at=since, ends_at=until) for since, until in axis.open
        ],
        stopped=[
            StoppedView(begins_at=each.begins, ends_at=each.ends, why=each.why)
            for each in axis.stopped
        ],
        cut=axis.cut,
    )


def _is_wanted(clock: Clock, query: IntervalsQuery) -> bool:
    target, cycle, _ = clock.name
    return query.target in {None, target} and query.cycle in {None, cycle}


def _items(
    clock: Clock,
    desk: Desk,
    past: Sequence[Entry],
    at: AwareDatetime,
    language: Language,
) -> Iterator[PromiseExplained]:
    """Yield the explanation of a clock if its open hours can be counted."""
    hours = hours_under(clock, desk.policies)
    if hours is None:
        return
    (standing,) = standings([clock], desk.policies, at)
    try:
        account = explained(clock, hours)
        consumption = consumed(clock, hours, at, turns(past), waits(past))
    except UNCOUNTABLE:
        return
    yield PromiseExplained(
        promise=PromiseView.of(standing, wording(past)),
        zone=account.zone,
        until=account.until,
        windows=[WindowView.of(window, account) for window in account.windows],
        seconds=account.seconds,
        cut=account.cut,
        consumed=ConsumptionView.of(consumption),
        happened=list(_happened(clock.name, past, language)),
        text=[
            *sentences(account, language),
            *shares(consumption, account.zone, language),
        ],
    )


def _happened(
    name: ClockName, past: Sequence[Entry], language: Language
) -> Iterator[Happened]:
    for entry in past:
        event = entry.event
        if is_sla_event(event) and _name_of(event) == name:
            what = event.model_dump(mode="json", exclude_none=True)
            yield Happened(
                position=entry.position,
                recorded_at=entry.recorded_at,
                kind=entry.type,
                sentence=sentence(entry.type, event.by, what, language),
            )


def _name_of(event: SlaEvent) -> ClockName:
    return ClockName(event.target, event.cycle, event.round)
