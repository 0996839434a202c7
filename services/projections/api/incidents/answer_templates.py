"""The templates for answers of the policy, rendered for an incident and its user."""

import re
from datetime import datetime
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Query

from services.projections.api.answers import Answer, refusals
from services.projections.api.callers import SomeReader, may_look_people_up, sight_of
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.position import history, known, no_incident
from services.projections.api.query_params import PreferredLanguage, QueryParams, Ref
from services.projections.generations import AsOf
from services.projections.history.history import whole
from services.projections.log_queries import policy_in_force
from services.projections.sight import Sight
from services.projections.snapshots import snapshot
from shared.directory import DirectoryEntry, entry
from shared.domain.identifiers import IncidentRef
from shared.domain.policy.teams import AnswerTemplate
from shared.i18n.catalog import Language, text_of
from shared.i18n.formats import instant_text, language_of

router = APIRouter(tags=["incidents"])

_BEFORE_NOTHING = re.compile(r"[ \N{NO-BREAK SPACE}]+(?=[,.])|(?<= ) +")


class TemplatesQuery(QueryParams):
    """In which language the titles are."""

    lang: Language | None = None
    """The language of the titles. Default: the first choice of `Accept-Language`."""


class AnswerTemplateView(Answer):
    """A text to send to the user of the incident, in the user's language."""

    key: str
    """Its name in `answer_templates` of the policy."""
    title: str
    """In the language of the caller, as far as the policy has it."""
    text: str
    language: str
    """The language of `text`."""


class AnswerTemplates(Answer):
    """The templates for answers, in the order of the policy."""

    incident: IncidentRef
    items: list[AnswerTemplateView]
    as_of: AsOf


@router.get("/v1/incidents/{ref}/answer-templates", responses=refusals(404))
async def list_answer_templates(
    ref: Ref,
    query: Annotated[TemplatesQuery, Query()],
    desk: DeskHere,
    caller: SomeReader,
    liked: PreferredLanguage,
) -> AnswerTemplates:
    """Show the policy's texts for answers, as they would read for this incident.

    They are in the language and time zone of the first user who reported it. The name
    is left out for callers who may not look people up.
    """
    language, named = query.lang or liked, may_look_people_up(caller)
    reader = _TemplateReader(language, named, sight_of(caller))
    return await desk.blocking(_templates, desk, ref, query, reader)


class _TemplateReader(NamedTuple):
    """Who reads the templates: in which language, with names or not, within what."""

    language: Language
    named: bool
    sight: Sight


def _templates(
    desk: Desk, ref: str, query: TemplatesQuery, reader: _TemplateReader
) -> AnswerTemplates:
    with snapshot(desk.log) as cursor:
        upto = known(cursor, None, query.min_position)
        found = whole(history(desk.log, cursor, ref, upto, reader.sight))
        if found is None:
            raise no_incident(ref)
        policy = policy_in_force(desk.log, cursor)
        reporter = found.incident.reporter
        user = entry(cursor, reporter) if reporter else None
    if policy is None:
        return AnswerTemplates(incident=ref, items=[], as_of=upto)
    first = policy.desk.languages[0]
    theirs = language_of(user.language if user else None, first)
    zone = (user.zone if user else None) or policy.desk.timezone
    values = {
        "reference": ref,
        "name": _name(user) if reader.named else "",
        "due": _due(found.row.ttr_due_at, zone, theirs),
    }
    return AnswerTemplates(
        incident=ref,
        items=[
            _view(key, template, values, (reader.language, theirs, first))
            for key, template in policy.answer_templates.items()
        ],
        as_of=upto,
    )


def _name(user: DirectoryEntry | None) -> str:
    """Return the name of a user; an unconfirmed one was chosen by a stranger."""
    return user.name if user and user.confirmed else ""


def _due(at: datetime | None, zone: str, language: Language) -> str:
    """Return when it is to be resolved, or words for it while nothing is due."""
    if at is None:
        return text_of(language, "page", "no due date")
    return instant_text(at, zone, language)


def _view(
    key: str,
    template: AnswerTemplate,
    values: dict[str, str],
    languages: tuple[str, str, str],
) -> AnswerTemplateView:
    callers, theirs, first = languages
    written = next(
        (each for each in (theirs, first) if each in template.text),
        next(iter(template.text)),
    )
    text = template.text[written].format_map(values)
    titles = template.title
    title = titles.get(callers) or titles.get(first) or next(iter(titles.values()))
    return AnswerTemplateView(
        key=key,
        title=title,
        # Without a name nothing is left of a place but the space before it.
        text=text if values["name"] else _BEFORE_NOTHING.sub("", text),
        language=written,
    )
