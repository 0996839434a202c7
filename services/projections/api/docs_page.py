"""The API's documentation page; it loads scripts from this server only."""

import base64
import re
from hashlib import sha256

from fastapi import APIRouter, Request
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.responses import HTMLResponse

router = APIRouter(include_in_schema=False)

ASSETS = "/static-offline-docs"
"""The path under which `fastapi_offline` serves the page's assets."""
_INLINE = re.compile(rb"<script>(.*?)</script>", re.DOTALL)


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
