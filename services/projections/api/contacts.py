"""Contacts: somebody reached the desk, which opens an incident or belongs to one."""

from typing import Any, TypeVar

from fastapi import APIRouter, Response
from pydantic import BaseModel, ValidationError

from services.projections.api.asked import refusals
from services.projections.api.commands import Wish, body_of
from services.projections.api.desk import DeskHere
from services.projections.api.receipt_view import (
    ReceiptView,
    read_receipt,
    unreached,
)
from services.projections.snapshots import TooSlow
from shared.command import CommandAnswer
from shared.contact import Contact, wish_of
from shared.log_errors import Unavailable
from shared.problem import Problem, located

router = APIRouter(tags=["contacts"])

_Wish = TypeVar("_Wish", bound=BaseModel)


class ContactAnswer(CommandAnswer):
    """The outcome of a contact. It is recorded, whoever the person is."""

    known: bool | None
    """Whether the directory knows the person; null where that cannot be told now."""
    note: str | None
    """Why nothing that the desk writes will reach the person."""
    receipt: ReceiptView | None
    """Null where it cannot be written now; the contact is recorded all the same."""


@router.post(
    "/v1/contacts",
    status_code=201,
    responses=refusals(400, 404, 409, 412, 413, 415),
    openapi_extra=body_of(Contact),
)
async def take_contact(wish: Wish, desk: DeskHere, response: Response) -> ContactAnswer:
    """Take a contact: open an incident for it, or attach it to the one it names."""
    contact = read_wish(Contact, wish.body, "contact")
    asked = wish_of(contact)
    answer = await desk.owner.ask(
        asked.verb,
        wish.model_copy(
            update={
                "incident": contact.incident,
                "body": asked.model_dump(mode="json", exclude_defaults=True),
            }
        ),
    )
    response.headers["Location"] = f"/v1/incidents/{answer.incident}"
    response.headers["ETag"] = f'"{answer.version}"'
    known, note, told = None, None, None
    try:
        found, told = await desk.blocking(read_receipt, desk, contact, answer.incident)
        known, note = found is not None, unreached(contact.person, found)
    except (Problem, Unavailable, TooSlow, LookupError):
        note = "it is recorded; the receipt cannot be written at the moment"
    return ContactAnswer(**answer.model_dump(), known=known, note=note, receipt=told)


def read_wish(kind: type[_Wish], body: dict[str, Any], what: str) -> _Wish:
    """Return what a body says; `Problem` 422 names all that is wrong in it."""
    try:
        return kind.model_validate(body)
    except ValidationError as error:
        errors = located(error)
        named = "; ".join(
            f"{'.'.join(map(str, one['loc']))}: {one['msg']}".removeprefix(": ")
            for one in errors
        )
        raise Problem(
            422,
            f"the {what} is not well formed: {named}",
            code="invalid",
            errors=errors,
        ) from error
