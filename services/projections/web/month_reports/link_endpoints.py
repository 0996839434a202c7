"""The page behind the link in the mail to a contact: a published report, to print.

It needs no account, script or cookie, and changes nothing.
"""

from datetime import date

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.projections.web.link_pages import LinkPage, shown_page
from services.projections.web.month_reports.views import sections_of
from shared.web.language import keep_language

router = APIRouter(include_in_schema=False)

PAGE = LinkPage("month_report_link.html", "/month-report", "/v1/month-report-links")


@router.get("/month-report/{token}")
async def get_page(request: Request, token: str) -> Response:
    """Show the report."""
    shown = await shown_page(
        request,
        PAGE,
        token,
        sections_of=sections_of,
        first_of=lambda month: date.fromisoformat(f"{month}-01"),
    )
    keep_language(request, shown)
    return shown
