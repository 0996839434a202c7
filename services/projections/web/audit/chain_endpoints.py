"""The screen of the hash chain: its state, and the verification of a part of it."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.projections.web.actions import new_draft
from services.projections.web.api_client import ApiClient, names_of
from services.projections.web.audit.views import head_of, people_in
from services.projections.web.operations.forms import Form, Refused, submitted
from services.projections.web.people.visitor import people_screen, visitor_of
from services.projections.web.rendering import page
from shared.web.language import language_of

router = APIRouter(include_in_schema=False)

PLACE = "/audit/chain"
_FIELDS = ("after", "upto")
_DIGITS_MAX = 18


@router.get("/audit/chain")
async def get_chain(request: Request) -> Response:
    """Show the head, the epochs, the anchors and the last verifications."""
    return await people_screen(request, _shown)


@router.post("/audit/chain/verify")
async def post_verification(request: Request) -> Response:
    """Verify a part of the chain."""
    return await people_screen(request, _verify)


async def _shown(
    request: Request, client: ApiClient, refused: Refused | None = None
) -> Response:
    visitor = await visitor_of(client)
    found: Mapping[str, Any] = await client.get("/v1/audit/chain", {})
    return page(
        "audit_chain.html",
        language_of(request),
        refused.status if refused else HTTPStatus.OK,
        **head_of(visitor),
        found=found,
        draft=refused.draft if refused else new_draft(request),
        csrf=new_draft(request).csrf,
        names=await names_of(
            client, people_in([*found["verifications"], *found["epochs"]])
        ),
        place=PLACE,
    )


async def _verify(request: Request, client: ApiClient) -> Response:
    async def send(form: Form) -> Mapping[str, Any]:
        return await client.post("/v1/audit/verifications", body_of(form))

    found = await submitted(request, "verify", send)
    if isinstance(found, Refused):
        return await _shown(request, client, found)
    return RedirectResponse(f"{PLACE}#verifications", HTTPStatus.SEE_OTHER)


def body_of(form: Form) -> dict[str, int | str]:
    """Return the body of the command; the API refuses what is not a number."""
    typed = {name: form.get(name, "").strip() for name in _FIELDS}
    return {
        name: int(text) if _is_number(text) else text
        for name, text in typed.items()
        if text
    }


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX
