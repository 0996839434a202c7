"""Contacts: a person contacts the desk, about a new or an existing incident."""

from functools import partial

from fastapi import APIRouter, Response

from services.projections.api.commands.endpoints import Wish, body_of
from services.projections.api.desk import DeskHere
from services.projections.api.query_params import refusals
from services.projections.snapshots import brief_snapshot
from shared.contacts.receipt import ContactAnswer, Records, contact_answer
from shared.domain.commands.contact import Contact, wish_of
from shared.http.bodies import validated

router = APIRouter(tags=["contacts"])


@router.post(
    "/v1/contacts",
    status_code=201,
    responses=refusals(400, 404, 409, 412, 413, 415),
    openapi_extra=body_of(Contact),
)
async def take_contact(wish: Wish, desk: DeskHere, response: Response) -> ContactAnswer:
    """Record a contact: open an incident for it, or attach it to the one it names."""
    contact = validated(Contact, wish.body, "contact")
    asked = wish_of(contact)
    done = await desk.owner.ask(
        asked.verb,
        wish.model_copy(
            update={
                "incident": contact.incident,
                "body": asked.model_dump(mode="json", exclude_defaults=True),
            }
        ),
    )
    response.headers["Location"] = f"/v1/incidents/{done.incident}"
    response.headers["ETag"] = f'"{done.version}"'
    look = partial(brief_snapshot, desk.log)
    records = Records(desk.log, desk.policies, look, desk.blocking)
    return await contact_answer(done, contact, records)
