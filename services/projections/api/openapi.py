"""The document that describes the API, and the page that shows it.

The page loads scripts from this server only.
"""

import base64
import re
from hashlib import sha256
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.responses import HTMLResponse

from services.projections.api.audit.chain import VerifyBody
from services.projections.api.bundle_links.schemas import BundleAnswerBody
from services.projections.api.calendar_feeds.endpoints import FeedBody
from services.projections.api.commands.bulk import BulkBody
from services.projections.api.commands.routes import COMMANDS
from services.projections.api.incidents.presence import VisitBody
from services.projections.api.incidents.saved_views import ViewBody
from services.projections.api.log.blocks import StreamItem
from services.projections.api.month_reports.schemas import (
    ApproveMonthReportBody,
    PublishMonthReportBody,
)
from services.projections.api.on_call.import_schemas import ImportBody
from services.projections.api.page_links.schemas import PageAnswerBody
from services.projections.api.people.rights import BODIES as PEOPLE
from services.projections.api.promises.answer_links import AnswerByLink
from services.projections.api.reads.schemas import ReadsQuestion
from services.projections.api.sessions.provider import BeginLogin, LoginAnswer
from services.projections.api.sessions.views import MailedLink, SignIn
from services.projections.api.survey_links.schemas import SurveyAnswerBody
from services.projections.api.user_page.schemas import UserAct
from shared.domain.commands.contact import Contact, Report, RetryLetter
from shared.domain.commands.escalation_preview import PreviewEscalation
from shared.domain.commands.page_explanation import ExplainPages
from shared.domain.commands.parked_event import RetryParked, SkipParked
from shared.domain.commands.quarantine import Discard, RetryMany
from shared.domain.commands.sla import ProposeExtension
from shared.messaging.commands import ProblemDetails

router = APIRouter(include_in_schema=False)

_DESCRIBED_HERE: tuple[type[BaseModel], ...] = (
    *(route.body for route in COMMANDS),
    AnswerByLink,
    ApproveMonthReportBody,
    PublishMonthReportBody,
    BulkBody,
    BeginLogin,
    Contact,
    Discard,
    ExplainPages,
    FeedBody,
    ImportBody,
    LoginAnswer,
    MailedLink,
    PageAnswerBody,
    BundleAnswerBody,
    ProblemDetails,
    ProposeExtension,
    PreviewEscalation,
    ReadsQuestion,
    Report,
    RetryLetter,
    RetryMany,
    RetryParked,
    SignIn,
    SkipParked,
    StreamItem,
    SurveyAnswerBody,
    UserAct,
    VerifyBody,
    ViewBody,
    VisitBody,
    *PEOPLE,
)
"""What FastAPI does not see, because other services or we read or write it."""
_REF = "#/components/schemas/{model}"
ASSETS = "/static-offline-docs"
"""The path under which `fastapi_offline` serves the page's assets."""
_INLINE = re.compile(rb"<script>(.*?)</script>", re.DOTALL)


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
        _, bodies = models_json_schema(
            [(model, "validation") for model in _DESCRIBED_HERE], ref_template=_REF
        )
        schemas |= bodies["$defs"]
        # FastAPI describes its own form of a 422; this API sends another one.
        schemas.pop("HTTPValidationError", None)
        schemas.pop("ValidationError", None)
        app.openapi_schema = described
    return app.openapi_schema


@router.get("/docs")
async def get_docs(request: Request) -> HTMLResponse:
    """Show the documentation of the API."""
    page = get_swagger_ui_html(
        openapi_url=request.app.openapi_url,
        title=f"{request.app.title} - Swagger UI",
        swagger_js_url=f"{ASSETS}/swagger-ui-bundle.js",
        swagger_css_url=f"{ASSETS}/swagger-ui.css",
        swagger_favicon_url=f"{ASSETS}/favicon.png",
    )
    page.headers["Content-Security-Policy"] = _policy(bytes(page.body))
    page.headers["X-Frame-Options"] = "DENY"
    return page


def _policy(html: bytes) -> str:
    """Return the page's content security policy; it allows only its own scripts."""
    own = " ".join(
        f"'sha256-{base64.b64encode(sha256(script).digest()).decode()}'"
        for script in _INLINE.findall(html)
    )
    return (
        f"default-src 'none'; script-src 'self' {own}; connect-src 'self'; "
        "style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
