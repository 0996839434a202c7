"""All screens as one router, and the style sheets and scripts of their pages."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.projections.web import answer_endpoints as answer
from services.projections.web import bundle_endpoints as bundle
from services.projections.web import page_test_endpoints as page_test
from services.projections.web import survey_endpoints as survey
from services.projections.web import take_endpoints as take
from services.projections.web import user_endpoints as user
from services.projections.web.audit import chain_endpoints as audit_chain
from services.projections.web.audit import endpoints as audit
from services.projections.web.audit import sample_endpoints as audit_sample
from services.projections.web.contact import endpoints as contact
from services.projections.web.contact_methods import endpoints as contact_methods
from services.projections.web.external_records import endpoints as external_records
from services.projections.web.figures import endpoints as figures
from services.projections.web.finder import endpoints as finder
from services.projections.web.incident import endpoints as incident
from services.projections.web.incident import files, page_reasons_endpoints
from services.projections.web.month_reports import endpoints as month_reports
from services.projections.web.month_reports import link_endpoints as month_report
from services.projections.web.on_call import (
    calendar_endpoints,
    change_endpoints,
    escalation_preview_endpoints,
    own_endpoints,
    recorded_endpoints,
)
from services.projections.web.on_call import endpoints as on_call
from services.projections.web.on_call import import_endpoints as shift_import
from services.projections.web.operations import (
    handover_endpoints,
    heartbeat_endpoints,
    maintenance_endpoints,
    parked_endpoints,
    policy_endpoints,
    quarantine_endpoints,
)
from services.projections.web.people import (
    endpoints as people,
)
from services.projections.web.people import (
    import_endpoints,
    invitation_endpoints,
    removal_endpoints,
    review_endpoints,
)
from services.projections.web.queue import bulk_endpoints as bulk
from services.projections.web.queue import endpoints as queue
from services.projections.web.reads import endpoints as reads
from services.projections.web.records import endpoints as records
from services.projections.web.rendering import TEMPLATES, asset
from services.projections.web.reviews import endpoints as reviews
from services.projections.web.sign_in import endpoints as sign_in
from services.projections.web.sign_in import own_sessions, provider
from services.projections.web.sources import endpoints as sources
from services.projections.web.surveys import endpoints as surveys
from shared.http.problem_details import HttpError
from shared.security.signed_links import USER_LINK_VALID
from shared.web.accessibility import PLACE as STATEMENT
from shared.web.accessibility import statement
from shared.web.language import keep_language, language_of

router = APIRouter(include_in_schema=False)


@router.get("/assets/{name}")
async def get_asset(name: str) -> Response:
    """Return a style sheet or script."""
    found = asset(name)
    if found is None:
        raise HttpError(404, f"there is nothing at /assets/{name[:64]}")
    return found


@router.get(STATEMENT)
async def get_statement(request: Request) -> Response:
    """Show the accessibility statement."""
    return statement(TEMPLATES, request)


@router.get("/your-data")
async def get_your_data(request: Request) -> Response:
    """Show users what is stored about them, and how to have it forgotten."""
    shown = TEMPLATES.page(
        "your_data.html",
        language_of(request),
        days=USER_LINK_VALID.days,
        authority="https://www.cnil.fr/fr/plaintes",
        place="/your-data",
    )
    keep_language(request, shown)
    return shown


_PEOPLE = (
    people,
    removal_endpoints,
    import_endpoints,
    invitation_endpoints,
    review_endpoints,
)
_ON_CALL = (
    calendar_endpoints,
    own_endpoints,
    on_call,
    shift_import,
    change_endpoints,
    recorded_endpoints,
)
_OPERATIONS = (
    quarantine_endpoints,
    parked_endpoints,
    heartbeat_endpoints,
    maintenance_endpoints,
    handover_endpoints,
    policy_endpoints,
)
_SCREENS = (
    escalation_preview_endpoints,
    queue,
    bulk,
    incident,
    files,
    page_reasons_endpoints,
    reads,
    records,
    external_records,
    contact,
    finder,
    *_ON_CALL,
    own_sessions,
    contact_methods,
    sources,
    surveys,
    month_reports,
    reviews,
    *_OPERATIONS,
    audit,
    audit_chain,
    audit_sample,
    figures,
    *_PEOPLE,
)
PAGES = tuple(route for each in _SCREENS for route in each.router.routes)
"""The pages to which sign-in may lead on."""
_OPEN = (sign_in, provider, answer, user, take, bundle, survey, page_test, month_report)
OPEN_PAGES = tuple(route for each in _OPEN for route in each.router.routes)
"""The pages that need no session."""

for _each in (*_SCREENS, *_OPEN):
    router.include_router(_each.router)
