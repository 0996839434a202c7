"""Turns an HTTP request into the command that is sent to the owner of a record.

The body is only checked for being a JSON object: the owner validates its content. The
caller's token is passed along: the owner derives actor and scopes from it. Each
dependency below reads from the path which record the command is about.
"""

from typing import Annotated, Any

from fastapi import Depends, Header, Path, Query, Request
from pydantic import StringConstraints

from services.projections.api.callers import SomeCommander, Token, credential_of
from services.projections.api.query_params import Nothing, PersonPath, Ref
from shared.domain.events.contact_method import MethodId
from shared.domain.events.sla import SlaTarget
from shared.domain.identifiers import ExtensionRef, extended_incident
from shared.domain.policy.clause import Name
from shared.http.bodies import read_object
from shared.http.command_headers import CommandHeaders, idempotency_key, version
from shared.http.problem_details import HttpError
from shared.messaging.commands import CommandMessage

Message = CommandMessage[dict[str, Any]]
"""A command whose body is not validated yet."""

Operation = Annotated[Name, Path(description="What the move is called: `july`.")]
ContactMethodPath = Annotated[
    MethodId, Path(description="A contact method: `nadia.3`, or `mail`.")
]
ExtensionPath = Annotated[
    ExtensionRef, Path(description="A longer delay: `INC-000042-E1`.")
]


async def new_record(
    request: Request,
    caller: SomeCommander,  # noqa: ARG001 # nobody else's body is read
    token: Token,
    headers: Annotated[CommandHeaders, Header()],
    _query: Annotated[Nothing, Query()],
) -> Message:
    """Return the caller's command, about a record that does not exist yet."""
    return Message(
        credential=credential_of(token),
        idempotency_key=idempotency_key(headers.idempotency_key),
        if_match=version(headers.if_match),
        body=await read_object(request),
    )


NewRecord = Annotated[Message, Depends(new_record)]


async def about_incident(ref: Ref, message: NewRecord) -> Message:
    """Return a command about an incident, or about its escalation or hand-over."""
    return message.model_copy(update={"incident": ref})


async def about_problem(
    ref: Annotated[str, StringConstraints(pattern=r"^PRB-[0-9]{6,12}$"), Path()],
    message: NewRecord,
) -> Message:
    """Return a command about a problem."""
    return message.model_copy(update={"record": ref})


async def about_change(
    ref: Annotated[str, StringConstraints(pattern=r"^CHG-[0-9]{6,12}$"), Path()],
    message: NewRecord,
) -> Message:
    """Return a command about a change."""
    return message.model_copy(update={"record": ref})


async def about_extension(extension: ExtensionPath, message: NewRecord) -> Message:
    """Return a command about a longer delay."""
    incident = extended_incident(extension)
    return message.model_copy(update={"incident": incident, "record": extension})


async def about_breach(ref: Ref, target: SlaTarget, message: NewRecord) -> Message:
    """Return a command about a broken promise of an incident."""
    body = with_path(message, "target", target)
    return message.model_copy(update={"incident": ref, "body": body})


async def about_person(person: PersonPath, message: NewRecord) -> Message:
    """Return a command about what a person may do."""
    return message.model_copy(update={"body": with_path(message, "person", person)})


async def about_contact_method(
    person: PersonPath, method: ContactMethodPath, message: NewRecord
) -> Message:
    """Return a command about a contact method of a person."""
    named = message.model_copy(update={"body": with_path(message, "method", method)})
    return named.model_copy(update={"body": with_path(named, "person", person)})


async def about_move(operation: Operation, message: NewRecord) -> Message:
    """Return a command about a move of promises."""
    body = with_path(message, "operation", operation)
    return message.model_copy(update={"body": body})


def with_path(message: Message, name: str, value: str | int) -> dict[str, Any]:
    """Return the body with a field of the path; `HttpError` 422 if they differ."""
    if message.body.get(name, value) != value:
        raise HttpError(
            422,
            f"the path says `{value}`: leave `{name}` out of the body",
            code="invalid",
        )
    return {**message.body, name: value}
