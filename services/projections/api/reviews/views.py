"""Reads the review of an incident for answers: as it is written, or an edition."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from operator import attrgetter
from typing import NamedTuple

from services.projections.api.callers import person_of, sight_of
from services.projections.api.desk import Desk
from services.projections.api.position import known, no_incident, require_seen
from services.projections.api.redaction import redacted
from services.projections.api.reviews.schemas import (
    DocumentQuery,
    DocumentSection,
    EditionView,
    FactView,
    FiguresView,
    ReviewActionView,
    ReviewDocument,
    ReviewQuery,
    ReviewView,
    SectionView,
)
from services.projections.api.reviews.texts import (
    SectionTexts,
    fact_sentence,
    people_of,
    roles_in,
    users_of,
)
from services.projections.generations import AsOf
from services.projections.log_queries import policy_in_force
from services.projections.snapshots import snapshot
from services.projections.timeline.sentences import Style
from shared.database.cursors import Cursors
from shared.directory import names
from shared.domain.action import Action
from shared.domain.events import is_incident_event
from shared.domain.events.review import ReviewPublished
from shared.domain.identifiers import incident_stream, review_stream
from shared.domain.incident import Incident, replay
from shared.domain.limits import Place
from shared.domain.policy.document import Policy
from shared.domain.review.facts import Fact, Figures, facts_of, figures_of
from shared.domain.review.possible import Role, possible
from shared.domain.review.state import Review, replay_review
from shared.eventlog.entry import Entry
from shared.http.problem_details import HttpError
from shared.i18n.catalog import Language
from shared.reviews import history_of
from shared.security.access import Caller
from shared.security.places import places
from shared.security.sender import COMMANDERS, GIVERS


class _Held(NamedTuple):
    """A review, its version, and what the log has about its incident."""

    review: Review
    version: int
    incident: Incident
    facts: Sequence[Fact]
    figures: Figures
    policy: Policy
    upto: AsOf


def review_view(
    desk: Desk, ref: str, query: ReviewQuery, caller: Caller, language: Language
) -> ReviewView:
    """Return the review of an incident. Raises `HttpError` 404 without one. Blocks."""
    with snapshot(desk.log) as cursor:
        entries, upto = _entries(desk, cursor, ref, query, caller)
        held = _held(desk, cursor, ref, entries, upto)
        place = places(desk.log, cursor, [ref]).get(ref)
        named = names(cursor, people_of(held.facts))
        zone = query.zone or held.policy.desk.timezone
        style = Style(zone, named)
        review, now = held.review, query.at or desk.clock()
        role = _role(policy_in_force(desk.log, cursor), held, caller, place)
        view = ReviewView(
            incident=ref,
            title=held.incident.title,
            version=held.version,
            status=review.status,
            cause=review.cause,
            owner=review.owner,
            opened_at=review.opened_at,
            due_at=review.due_at,
            overdue=review.is_overdue(now),
            returned_because=review.returned.reason if review.returned else None,
            sections=_sections(review, SectionTexts(held.policy, language)),
            figures=FiguresView(**asdict(held.figures)),
            facts=_facts(held.facts, review.left_out, language, style),
            actions=_actions(review, now),
            editions=[
                EditionView(edition=each.edition, at=each.at, by=each.by)
                for each in review.editions
            ],
            possible=[*possible(review, role)] if query.at is None else [],
            zone=zone,
            as_of=upto,
        )
        return redacted(desk.log, cursor, sight_of(caller), view, ref)


def document(
    desk: Desk, ref: str, query: DocumentQuery, caller: Caller, language: Language
) -> ReviewDocument:
    """Return a review to read. Raises `HttpError` 404 without that edition. Blocks.

    An edition follows from the log as it was when it was published: from the events of
    the review up to it, and from those of the incident up to the position it names.
    """
    with snapshot(desk.log) as cursor:
        entries, upto = _entries(desk, cursor, ref, query, caller)
        published = _edition(entries, query.edition)
        held = _held(desk, cursor, ref, _until(entries, published), upto, published)
        review, policy = held.review, held.policy
        if published is not None:
            facts = [each for each in held.facts if each.position in published.facts]
        else:
            facts = [e for e in held.facts if e.position not in review.left_out]
        people = people_of(facts) | {each.owner for each in review.actions.values()}
        zone = query.zone or policy.desk.timezone
        style = Style(zone, roles=roles_in(policy, people, users_of(facts), language))
        if query.people == "names":
            style = Style(zone, names(cursor, people))
        at = published.at if published else desk.clock()
        found = ReviewDocument(
            incident=ref,
            title=held.incident.title,
            edition=published.edition if published else None,
            published_at=published.at if published else None,
            sections=_written(review, SectionTexts(policy, language)),
            figures=FiguresView(**asdict(held.figures)),
            facts=_facts(facts, frozenset(), language, style),
            actions=[_called(each, style) for each in _actions(review, at)],
            zone=zone,
            language=language,
            as_of=upto,
        )
        return redacted(desk.log, cursor, sight_of(caller), found, ref)


def _entries(
    desk: Desk, cursor: Cursors, ref: str, query: ReviewQuery, caller: Caller
) -> tuple[Sequence[Entry], AsOf]:
    require_seen(desk.log, cursor, sight_of(caller), ref)
    upto = known(cursor, query.at, query.min_position)
    entries = desk.log.histories(cursor, [review_stream(ref)], upto.position)
    if not entries:
        raise HttpError(
            404, f"there is no review of {ref}: open one first", code="unknown_review"
        )
    return entries, upto


def _held(
    desk: Desk,
    cursor: Cursors,
    ref: str,
    entries: Sequence[Entry],
    upto: AsOf,
    published: ReviewPublished | None = None,
) -> _Held:
    until = published.upto if published else upto.position
    stored = desk.log.histories(cursor, [incident_stream(ref)], until)
    incident = replay(e.event for e in stored if is_incident_event(e.event))
    review = replay_review(each.event for each in entries)
    history = history_of(desk.log, cursor, ref, until)
    figures = figures_of(history)
    if incident is None or review is None or figures is None:
        raise no_incident(ref)
    policy, version = desk.policies(review.policy), entries[-1].version
    return _Held(review, version, incident, facts_of(history), figures, policy, upto)


def _edition(entries: Sequence[Entry], number: int | None) -> ReviewPublished | None:
    """Return an edition; None for the draft. Raises `HttpError` 404."""
    review = replay_review(each.event for each in entries)
    editions = review.editions if review else ()
    if number is None:
        is_published = review is not None and review.status == "published"
        return editions[-1] if is_published else None
    if number > len(editions):
        raise HttpError(
            404, f"this review has no edition {number}", code="unknown_edition"
        )
    return editions[number - 1]


def _until(
    entries: Sequence[Entry], published: ReviewPublished | None
) -> Sequence[Entry]:
    if published is None:
        return entries
    last = next(i for i, each in enumerate(entries) if each.event == published)
    return entries[: last + 1]


def _role(now: Policy | None, held: _Held, caller: Caller, place: Place | None) -> Role:
    scopes = frozenset(caller.scopes_at(place) if place else ())
    team = (now or held.policy).teams.get(held.incident.team)
    person = person_of(caller) or ""
    leads = (team is not None and team.manager == person) or not scopes.isdisjoint(
        GIVERS
    )
    return Role(person, commands=not scopes.isdisjoint(COMMANDERS), leads=leads)


def _sections(review: Review, texts: SectionTexts) -> list[SectionView]:
    found: list[SectionView] = []
    for name in review.sections:
        written = review.texts.get(name, ())
        newest = written[-1] if written else None
        found.append(
            SectionView(
                section=name,
                title=texts.title(name),
                hint=texts.hint(name),
                shows=texts.shows(name),
                text=newest.text if newest else "",
                revision=len(written),
                written_at=newest.at if newest else None,
                by=newest.by if newest else None,
            )
        )
    return found


def _written(review: Review, texts: SectionTexts) -> list[DocumentSection]:
    return [
        DocumentSection(
            section=name,
            title=texts.title(name),
            shows=texts.shows(name),
            text=review.text(name),
        )
        for name in review.sections
    ]


def _facts(
    facts: Iterable[Fact], left_out: frozenset[int], language: Language, style: Style
) -> list[FactView]:
    return [
        FactView(
            position=fact.position,
            at=fact.at,
            kind=fact.event.type,
            sentence=fact_sentence(fact, language, style),
            left_out=fact.position in left_out,
        )
        for fact in facts
    ]


def _actions(review: Review, now: datetime) -> list[ReviewActionView]:
    ordered = sorted(review.actions.values(), key=attrgetter("due_at", "number"))
    ordered.sort(key=lambda each: not each.is_open)
    return [action_view(review.incident, each, now) for each in ordered]


def action_view(incident: str, action: Action, now: datetime) -> ReviewActionView:
    """Return an action of a review."""
    done, dropped = action.done_at, action.dropped_at
    return ReviewActionView(
        incident=incident,
        action=action.number,
        status="done" if done else "dropped" if dropped else "open",
        owner=action.owner,
        task=action.task,
        opened_at=action.opened_at,
        due_at=action.due_at,
        ended_at=done or dropped,
        overdue=action.is_overdue(now),
    )


def _called(action: ReviewActionView, style: Style) -> ReviewActionView:
    """Return an action whose owner is shown as the document shows people."""
    shown = style.names if style.roles is None else style.roles
    return action.model_copy(update={"owner": shown.get(action.owner, action.owner)})
