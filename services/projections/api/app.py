"""The API as one ASGI application, and the document that describes it."""

from typing import Any

from anyio import BrokenResourceError
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi_offline import FastAPIOffline
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from services.projections.api import docs_page
from services.projections.api.commands import contacts, escalation
from services.projections.api.commands import endpoints as commands_endpoints
from services.projections.api.desk import Desk
from services.projections.api.errors import answer_errors
from services.projections.api.incidents import candidates, load, queues, timelines
from services.projections.api.incidents import endpoints as incidents_endpoints
from services.projections.api.log import documents, stream
from services.projections.api.log import endpoints as log_endpoints
from services.projections.api.metrics import endpoints as metrics_endpoints
from services.projections.api.people import endpoints as people_endpoints
from services.projections.api.people import on_call
from services.projections.api.promises import explanations, extensions, moves
from services.projections.api.records import (
    changes,
    handovers,
    problems,
    service_handovers,
    solutions,
)
from services.projections.api.reports import by_link, forwarding, letters, quarantine
from services.projections.api.reports import endpoints as reports_endpoints
from services.projections.web import answer_endpoints as answer_page
from services.projections.web import endpoints as page
from shared.domain.commands.change import BODIES as OF_CHANGES
from shared.domain.commands.contact import Contact, Report, RetryLetter
from shared.domain.commands.escalation import BODIES as OF_HELP
from shared.domain.commands.escalation import AcceptHandover, JoinHandover
from shared.domain.commands.incident import BODIES
from shared.domain.commands.policy_moves import MovePromises
from shared.domain.commands.problem import BODIES as OF_PROBLEMS
from shared.domain.commands.sla import BODIES as OF_SLA
from shared.messaging.commands import ProblemDetails

VERSION = "1"
_PARTS = (
    queues,
    load,
    incidents_endpoints,
    solutions,
    explanations,
    timelines,
    log_endpoints,
    documents,
    stream,
    metrics_endpoints,
    on_call,
    people_endpoints,
    commands_endpoints,
    contacts,
    candidates,
    letters,
    reports_endpoints,
    escalation,
    extensions,
    by_link,
    moves,
    handovers,
    service_handovers,
    problems,
    changes,
    quarantine,
    forwarding,
)
_REF = "#/components/schemas/{model}"
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
        docs_url=None,  # `docs_page` serves it
        redoc_url=None,
    )
    app.state.desk = desk
    for part in _PARTS:
        app.include_router(part.router)
    app.include_router(docs_page.router)
    app.include_router(page.router)
    app.include_router(answer_page.router)
    answer_errors(app)
    app.add_middleware(HungUp)
    app.openapi = lambda: document(app)  # type: ignore[method-assign] # as FastAPI says
    return app


def document(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document, with the bodies that other services parse."""
    if app.openapi_schema is None:
        described = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
        )
        schemas = described["components"]["schemas"]
        models: list[type[BaseModel]] = [
            *BODIES.values(),
            *OF_PROBLEMS.values(),
            *OF_CHANGES.values(),
            *OF_HELP.values(),
            *OF_SLA.values(),
            MovePromises,
            by_link.AnswerByLink,
            AcceptHandover,
            JoinHandover,
            Contact,
            Report,
            RetryLetter,
            *quarantine.BODIES,
            ProblemDetails,
        ]
        _, bodies = models_json_schema(
            [(model, "validation") for model in models], ref_template=_REF
        )
        schemas |= bodies["$defs"]
        # FastAPI describes its own form of a 422; this API sends another one.
        schemas.pop("HTTPValidationError", None)
        schemas.pop("ValidationError", None)
        app.openapi_schema = described
    return app.openapi_schema


class HungUp:
    """Middleware for streams: ignores the error of a client that disconnected."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the application; a disconnected client is not an error."""
        try:
            await self._app(scope, receive, send)
        except* BrokenResourceError:
            pass
