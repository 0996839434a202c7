"""Answers to surveys by the link in the mail: see the questions, answer once.

A GET changes nothing, so a mail scanner that opens links answers nothing. The answer is
a command with the link as its credential: the owner of the stream verifies it again.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path, Query, Request, Response

from services.projections.api.answers import PRIVATE, body_of, refusals
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.query_params import Nothing, PreferredLanguage
from services.projections.api.survey_links.schemas import (
    PublishedFigures,
    SurveyAnswerBody,
    SurveyQuestionText,
    SurveyToAnswer,
)
from services.projections.log_queries import policy_in_force
from services.projections.metrics.queries import share
from services.projections.snapshots import snapshot
from shared.database.cursors import Cursors
from shared.directory import names
from shared.directory import person as person_named
from shared.domain.commands.survey import AnswerSurvey, SurveyAnswer
from shared.domain.events import is_incident_event
from shared.domain.identifiers import incident_stream, is_incident_ref
from shared.domain.incident import replay
from shared.domain.policy.document import Policy
from shared.domain.policy.surveys import MIN_ANSWERS
from shared.domain.survey.invitation import Invitation
from shared.domain.survey.record import SurveyRecord
from shared.eventlog.policies import applied_at_version, policy_of
from shared.http.bodies import read_object, validated
from shared.http.form_limits import address_of
from shared.http.problem_details import HttpError
from shared.i18n.catalog import Language
from shared.i18n.formats import day_text, instant_text, language_of
from shared.messaging.commands import CommandMessage, Credential
from shared.security.signed_links import SURVEY_LINKS_PURPOSE, TOKEN_MAX, SurveyLink
from shared.security.survey_links import invitation_of, read_survey_link
from shared.surveys.results import records_of

router = APIRouter(tags=["survey links"])

Token = Annotated[
    str, Path(max_length=TOKEN_MAX, description="The end of the address in the mail.")
]
DAY = timedelta(days=1)
PUBLISHED_MAX = 3
"""Publications that somebody who answered is shown."""


@router.get("/v1/survey-links/{token}", responses=refusals(404, 429))
async def see_survey(
    token: Token,
    _asked: Annotated[Nothing, Query()],
    liked: PreferredLanguage,
    desk: DeskHere,
    response: Response,
) -> SurveyToAnswer:
    """Show a survey to the person who was asked; this changes nothing."""
    link = _link(desk, token)
    desk.user_limits.read(link.invitation, link.person)
    response.headers.update(PRIVATE)
    return await desk.blocking(_seen, desk, link, liked)


@router.post(
    "/v1/survey-links/{token}",
    responses=refusals(400, 403, 404, 409, 413, 415, 429),
    openapi_extra=body_of(SurveyAnswerBody),
)
async def answer_survey(
    token: Token, request: Request, desk: DeskHere, response: Response
) -> SurveyAnswer:
    """Answer a survey, once: the outcome of a later answer is `already`."""
    link = _link(desk, token)
    address = address_of(request, desk.trusted_proxies)
    desk.user_limits.act(link.invitation, link.person, address)
    body = validated(SurveyAnswerBody, await read_object(request), "answer")
    message = CommandMessage[dict[str, Any]](
        incident=link.invitation if is_incident_ref(link.invitation) else None,
        credential=Credential(kind="survey_link", secret=token),
        body={"invitation": link.invitation, **body.model_dump(mode="json")},
    )
    answer = await desk.owner.ask(
        AnswerSurvey.aggregate, AnswerSurvey.verb, message, SurveyAnswer
    )
    response.headers.update(PRIVATE)
    return answer


def _link(desk: Desk, token: str) -> SurveyLink:
    return read_survey_link(desk.log.vault.keys_for(SURVEY_LINKS_PURPOSE), token)


def _seen(desk: Desk, link: SurveyLink, liked: Language) -> SurveyToAnswer:
    with snapshot(desk.log) as cursor:
        held = invitation_of(desk.log, cursor, link)
        who = person_named(cursor, link.person)
        policy = policy_in_force(desk.log, cursor)
        asked = policy_of(cursor, applied_at_version(desk.log, cursor, held.policy))
        record = records_of(desk.log, cursor, [held.survey])[held.survey]
        service = _service(desk, cursor, held)
        if policy is None:
            raise HttpError(404, "this link is no longer valid", code="unknown_link")
        owner = policy.surveys.get(held.survey, asked.surveys[held.survey]).owner
        owner = names(cursor, [owner]).get(owner, owner)
    language = language_of(who.language if who else None, liked)
    zone = (who.zone if who else None) or policy.desk.timezone
    return SurveyToAnswer(
        incident=held.incident,
        service=(
            None if service is None else _in(policy.service(service).name, language)
        ),
        state=_state(held, desk),
        questions=_questions(held, asked, language),
        expires_at=held.expires_at,
        expires_text=instant_text(held.expires_at, zone, language),
        language=language,
        anonymous=held.is_anonymous,
        owner=owner,
        kept=list(held.kept or ()),
        # Before that they could sway the answer.
        published=(
            published_figures(record, policy, language) if held.is_answered else []
        ),
    )


def _service(desk: Desk, cursor: Cursors, held: Invitation) -> str | None:
    """Return the service of the incident that an invitation is about, as it is now."""
    if held.incident is None:
        return None
    entries = desk.log.histories(cursor, [incident_stream(held.incident)])
    incident = replay(e.event for e in entries if is_incident_event(e.event))
    return incident.service if incident else None


def published_figures(
    record: SurveyRecord, policy: Policy, language: Language
) -> list[PublishedFigures]:
    """Return what was published last.

    A survey of clients may publish the share of a few at the desk; here another client
    would read from it what a single one answered.
    """
    zone = ZoneInfo(policy.desk.timezone)
    newest = sorted(record.published, key=lambda each: each.start, reverse=True)
    return [
        PublishedFigures(
            first=(first := each.start.astimezone(zone).date()),
            last=(last := (each.end.astimezone(zone) - DAY).date()),
            first_text=day_text(first, language),
            last_text=day_text(last, language),
            invited=each.results.invited,
            n=each.results.n,
            share=(
                None
                if each.results.satisfied is None or each.results.n < MIN_ANSWERS
                else share(each.results.satisfied, each.results.n)
            ),
        )
        for each in newest[:PUBLISHED_MAX]
    ]


def _state(held: Invitation, desk: Desk) -> Literal["open", "answered", "expired"]:
    if held.is_answered:
        return "answered"
    return "expired" if held.is_over(desk.clock()) else "open"


def _questions(
    held: Invitation, asked: Policy, language: Language
) -> list[SurveyQuestionText]:
    """Return the questions as they were asked, whatever the policy says now."""
    questions = asked.surveys[held.survey].questions[held.version]
    return [
        SurveyQuestionText(id=each.id, text=_in(each.text, language))
        for each in questions
    ]


def _in(texts: Mapping[str, str], language: Language) -> str:
    return texts.get(language) or next(iter(texts.values()))
