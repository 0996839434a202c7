"""Explains the due date of a promise: the account of its clock, at any instant."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Self

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime, Field

from services.projections.api.answers import Answer, AsOfAnswer
from services.projections.api.callers import Reader
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.incidents.history import history, known
from services.projections.api.languages import Liked
from services.projections.api.promises.views import ConsumptionView, PromiseView
from services.projections.api.query_params import (
    InstantQuery,
    Ref,
    no_incident,
    refusals,
)
from services.projections.history.history import hours_under, standings, whole, wording
from services.projections.history.promise_account import sentences
from services.projections.history.shares import shares, turns, waits
from services.projections.snapshots import snapshot
from services.projections.timeline.sentences import sentence
from shared.domain.events import SlaEvent, is_sla_event
from shared.domain.events.sla import Target
from shared.domain.identifiers import IncidentRef
from shared.domain.sla import Clock, ClockName, Explanation, consumed, explained
from shared.domain.working_time import Window
from shared.eventlog.entry import Entry
from shared.i18n.formats import Language

router = APIRouter(tags=["incidents"])


class ExplanationQuery(InstantQuery):
    """Which promises, and in which language."""

    target: Target | None = None
    cycle: Annotated[int, Field(ge=1)] | None = None
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
    at: AwareDatetime
    """The instant for which the remaining time is computed."""
    as_of: AsOfAnswer


@router.get("/v1/incidents/{ref}/sla/explain", responses=refusals(404))
async def explain_promises(  # each is a part of the request
    ref: Ref,
    asked: Annotated[ExplanationQuery, Query()],
    desk: DeskHere,
    caller: Reader,  # noqa: ARG001 # it lets nobody else in
    liked: Liked,
    response: Response,
) -> Explanations:
    """Explain why each promise is due when it is, window by window.

    Includes its policy and calendar, its pauses and their reasons, its outcome, and who
    consumed its time; as it is, or as it was recorded at an instant.
    """
    language = asked.lang or liked
    response.headers["Content-Language"] = language
    response.headers["Vary"] = "Accept-Language"
    return await desk.blocking(_explanations, desk, ref, asked, language)


def _explanations(
    desk: Desk, ref: str, asked: ExplanationQuery, language: Language
) -> Explanations:
    with snapshot(desk.log) as cursor:
        upto = known(cursor, asked.at, asked.min_position)
        past = history(desk.log, cursor, ref, upto)
    found = whole(past)
    if found is None:
        raise no_incident(ref)
    at = asked.at or desk.clock()
    wanted = [clock for clock in found.clocks if _is_wanted(clock, asked)]
    return Explanations(
        incident=ref,
        items=[
            item for clock in wanted for item in _items(clock, desk, past, at, language)
        ],
        at=at,
        as_of=AsOfAnswer.model_validate(upto),
    )


def _is_wanted(clock: Clock, asked: ExplanationQuery) -> bool:
    target, cycle, _ = clock.name
    return asked.target in {None, target} and asked.cycle in {None, cycle}


def _items(
    clock: Clock,
    desk: Desk,
    past: Sequence[Entry],
    at: AwareDatetime,
    language: Language,
) -> Iterator[PromiseExplained]:
    """Yield the explanation of each clock whose calendar is in the log."""
    hours = hours_under(clock, desk.policies)
    if hours is None:
        return
    (standing,) = standings([clock], desk.policies, at)
    account = explained(clock, hours)
    consumption = consumed(clock, hours, at, turns(past), waits(past))
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
