"""Contacts: somebody reached the desk, which opens an incident or belongs to one."""

from typing import Any

from fastapi import APIRouter, Response
from pydantic import ValidationError

from services.projections.api.asked import refusals
from services.projections.api.commands import Wish, body_of
from services.projections.api.desk import Desk, DeskHere
from services.projections.directory import Person, person
from services.projections.snapshots import snapshot
from shared.command import CommandAnswer
from shared.contact import Contact, wish_of
from shared.problem import Problem, located

router = APIRouter(tags=["contacts"])


class ContactAnswer(CommandAnswer):
    """What became of a contact. It is recorded, whoever the person is."""

    known: bool
    """Whether the directory knows the person."""
    note: str | None
    """Why nothing that the desk writes will reach the person."""


@router.post(
    "/v1/contacts",
    status_code=201,
    responses=refusals(400, 404, 409, 412, 413, 415),
    openapi_extra=body_of(Contact),
)
async def take_contact(wish: Wish, desk: DeskHere, response: Response) -> ContactAnswer:
    """Take a contact: open an incident for it, or attach it to the one it names."""
    contact = _read(wish.body)
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
    found = await desk.blocking(_found, desk, contact.person)
    return ContactAnswer(
        **answer.model_dump(),
        known=found is not None,
        note=_unreached(contact.person, found),
    )


def _read(body: dict[str, Any]) -> Contact:
    try:
        return Contact.model_validate(body)
    except ValidationError as error:
        errors = located(error)
        named = "; ".join(
            f"{'.'.join(map(str, one['loc']))}: {one['msg']}".removeprefix(": ")
            for one in errors
        )
        raise Problem(
            422,
            f"the contact is not well formed: {named}",
            code="invalid",
            errors=errors,
        ) from error


def _found(desk: Desk, id_: str) -> Person | None:
    with snapshot(desk.log) as cursor:
        return person(cursor, id_)


def _unreached(id_: str, found: Person | None) -> str | None:
    if found is None:
        return (
            f"the directory knows no {id_}, so no mail can reach them: import them "
            "with `permanence people import`, and it will"
        )
    if not found.has_mail:
        return f"the directory has no e-mail address of {id_}: no mail can reach them"
    return None
