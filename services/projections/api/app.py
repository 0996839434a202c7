"""The API as one ASGI application."""

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.routing import BaseRoute

from services.projections.api import metrics, openapi, search, setup
from services.projections.api.audit import chain as audit_chain
from services.projections.api.audit import endpoints as audit
from services.projections.api.audit import samples as audit_samples
from services.projections.api.bundle_links import endpoints as bundle_links
from services.projections.api.calendar_feeds import endpoints as calendar_feeds
from services.projections.api.commands import bulk, routes
from services.projections.api.desk import Desk
from services.projections.api.errors import HungUp, answer_errors
from services.projections.api.external_records import endpoints as external_records
from services.projections.api.incidents import (
    answer_templates,
    assignees,
    attachments,
    candidates,
    contacts,
    destinations,
    presence,
    proposals,
    queues,
    recipients,
    saved_views,
    timelines,
)
from services.projections.api.incidents import endpoints as incidents
from services.projections.api.intake import form, forwarding, inbound_mail, quarantine
from services.projections.api.log import endpoints as log
from services.projections.api.log import stream
from services.projections.api.month_reports import endpoints as month_reports
from services.projections.api.month_reports import links as month_report_links
from services.projections.api.on_call import changes as on_call_changes
from services.projections.api.on_call import endpoints as on_call
from services.projections.api.on_call import history as on_call_history
from services.projections.api.on_call import preview as on_call_preview
from services.projections.api.on_call import readiness as on_call_readiness
from services.projections.api.on_call import shift_import as on_call_import
from services.projections.api.on_call import shifts as on_call_shifts
from services.projections.api.on_call import statements as on_call_statements
from services.projections.api.page_explanations import endpoints as page_explanations
from services.projections.api.page_links import endpoints as page_links
from services.projections.api.page_test_links import endpoints as page_test_links
from services.projections.api.page_tests import endpoints as page_tests
from services.projections.api.parked_events import endpoints as parked_events
from services.projections.api.people import (
    contact_methods,
    credentials,
    look_up,
    rights,
)
from services.projections.api.people import endpoints as people
from services.projections.api.policies import endpoints as policies
from services.projections.api.promises import answer_links, explanations
from services.projections.api.promises import endpoints as promises
from services.projections.api.reads import endpoints as reads
from services.projections.api.records import endpoints as records
from services.projections.api.records import handovers, solutions
from services.projections.api.reviews import endpoints as reviews
from services.projections.api.sessions import endpoints as sessions
from services.projections.api.sessions import provider
from services.projections.api.survey_links import endpoints as survey_links
from services.projections.api.surveys import endpoints as surveys
from services.projections.api.user_page import endpoints as user_pages
from services.projections.reads.middleware import RecordedReads
from services.projections.web import endpoints as pages

VERSION = "1"
_PARTS = (
    queues,
    assignees,
    saved_views,
    incidents,
    presence,
    solutions,
    search,
    explanations,
    answer_templates,
    recipients,
    candidates,
    timelines,
    log,
    stream,
    audit,
    audit_chain,
    audit_samples,
    metrics,
    contact_methods,
    on_call,
    on_call_readiness,
    on_call_shifts,
    on_call_changes,
    on_call_preview,
    on_call_import,
    calendar_feeds,
    on_call_history,
    on_call_statements,
    page_explanations,
    page_tests,
    rights,
    credentials,
    people,
    sessions,
    look_up,
    provider,
    contacts,
    attachments,
    proposals,
    inbound_mail,
    form,
    promises,
    answer_links,
    user_pages,
    page_links,
    bundle_links,
    survey_links,
    page_test_links,
    surveys,
    month_reports,
    month_report_links,
    reviews,
    policies,
    handovers,
    reads,
    records,
    external_records,
    routes,
    bulk,
    quarantine,
    parked_events,
    forwarding,
    setup,
    destinations,
    openapi,
    pages,
)
_ABOUT = (
    "The queues, incidents and log of a service desk, and the commands that change "
    "them. Every answer says in `as_of` what it knows; a command answers with the "
    "positions of its events, and `?min_position=` waits for them. Refusals are "
    "`application/problem+json` (RFC 9457)."
)


def api(desk: Desk, others: tuple[BaseRoute, ...] = ()) -> FastAPI:
    """Return the application that serves `desk`, together with the routes `others`."""
    app = FastAPIOffline(
        title="Permanence",
        version=VERSION,
        description=_ABOUT,
        routes=list(others),
        docs_url=None,  # `openapi` serves it
        redoc_url=None,
    )
    app.state.desk = desk
    app.state.pages = pages.PAGES
    for part in _PARTS:
        app.include_router(part.router)
    answer_errors(app)
    app.add_middleware(RecordedReads)
    app.add_middleware(HungUp)
    app.openapi = lambda: openapi.document(app)  # type: ignore[method-assign] # as FastAPI says
    return app
