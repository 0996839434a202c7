"""Published month reports by the link in the mail, without signing in."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from services.projections.api.answers import PRIVATE, refusals
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.month_reports.schemas import PublishedReport
from services.projections.api.query_params import Nothing, PreferredLanguage
from services.projections.log_queries import desk_zone
from services.projections.metrics.definitions import DEFINITIONS
from services.projections.month_reports.figures import definition_versions
from services.projections.snapshots import snapshot
from shared.directory import person as person_named
from shared.domain.month_report import REPORTED, SECTIONS, Edition
from shared.http.problem_details import HttpError
from shared.i18n.catalog import Language
from shared.i18n.formats import language_of
from shared.month_reports import edition_behind, report_of
from shared.security.signed_links import (
    REPORT_LINKS_PURPOSE,
    TOKEN_MAX,
    ReportLink,
    read_report_token,
)

router = APIRouter(tags=["month reports"])

Token = Annotated[
    str, Path(max_length=TOKEN_MAX, description="The end of the address in the mail.")
]


@router.get("/v1/month-report-links/{token}", responses=refusals(404, 429))
async def see_month_report(
    token: Token,
    _asked: Annotated[Nothing, Query()],
    liked: PreferredLanguage,
    desk: DeskHere,
    response: Response,
) -> PublishedReport:
    """Show a published report to a contact of the client."""
    link = read_report_token(desk.log.vault.keys_for(REPORT_LINKS_PURPOSE), token)
    if link is None:
        raise _void("this link is not complete: open it from the message again")
    desk.user_limits.read(link.edition, link.person)
    response.headers.update(PRIVATE)
    return await desk.blocking(_seen, desk, link, liked)


def _seen(desk: Desk, link: ReportLink, liked: Language) -> PublishedReport:
    with snapshot(desk.log) as cursor:
        edition = edition_behind(desk.log, cursor, link, desk.clock())
        if edition is None:
            raise _void("this link is no longer valid")
        published = edition.published
        whole = report_of(desk.log, cursor, published.client, published.month)
        who = person_named(cursor, link.person)
        zone = desk_zone(desk.log, cursor)
    newest = len(whole.editions)
    language = language_of(who.language if who else None, liked)
    return published_report(edition, zone, newest, language)


def published_report(
    edition: Edition, zone: str, newest: int, language: Language
) -> PublishedReport:
    """Return an edition for its readers: without who wrote and approved it."""
    published, versions = edition.published, definition_versions()
    return PublishedReport(
        client=published.client,
        month=published.month,
        from_=published.start,
        to=published.end,
        zone=zone,
        edition=published.edition,
        corrects=published.corrects,
        replaced_by=newest if newest > published.edition else None,
        published_at=published.at,
        comments={name: each.text for name, each in edition.comments.items()},
        numbers=published.figures.numbers,
        before=published.figures.before,
        definitions={name: DEFINITIONS[name].meaning for name in REPORTED},
        sections=SECTIONS,
        changed_definitions=[
            name
            for name, version in published.figures.definitions.items()
            if versions.get(name) != version
        ],
        language=language,
    )


def _void(why: str) -> HttpError:
    return HttpError(404, why, code="unknown_link")
