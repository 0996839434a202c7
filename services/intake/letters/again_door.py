"""The door at which a letter that was set aside is taken all the same.

A machine took it for a machine's, or for one too many, or could not read it. A person
who may act for users has looked at it, and says otherwise.
"""

import asyncio
from dataclasses import replace
from uuid import UUID

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from services.intake.callers import bearer
from services.intake.doors import Doors
from services.intake.letters.door import taken_answer
from services.intake.letters.letter import Letter
from services.intake.letters.rows import FORM
from services.intake.letters.set_aside import SET_ASIDE, Lying, lying, read_lying
from services.intake.letters.taking import Post
from shared.domain.commands.contact import RetryLetter
from shared.domain.policy.document import Policy
from shared.domain.policy.sources import Mailbox
from shared.domain.policy.targets import Channel
from shared.http.bearer import require_scope
from shared.http.bodies import document_in, read_body
from shared.http.problem_details import HttpError, located

ASKED_BYTES_MAX = 4_096
ASKED_DEPTH_MAX = 2


async def retry_letter(doors: Doors, request: Request) -> Response:
    """Take a letter that was set aside, by the word of who asks."""
    caller = await doors.gate.caller(request, bearer(request))
    require_scope(caller, "agent", "manager", "admin")
    policy = await doors.in_force.known()
    key = _key(request)
    asked = await _asked(request)
    loop = asyncio.get_running_loop()
    found, letter = await loop.run_in_executor(doors.executor, _found, doors, key)
    post = Post(
        caller.actor,
        caller.scopes,
        found.source,
        _channel(policy, found.source),
        found.received_at,
        incident=asked.incident,
    )
    if post.incident:
        letter = replace(letter, incidents=(post.incident,))
    taken = await doors.letters.take_again(letter, post)
    return taken_answer(taken, str(key))


def _found(doors: Doors, key: UUID) -> tuple[Lying, Letter]:
    with doors.log.transaction() as cursor:
        found = lying(cursor, key)
    if found is None:
        raise HttpError(
            404, f"there is no letter {key}: `GET /v1/letters` has them all"
        )
    if found.verdict not in SET_ASIDE:
        where = f" {found.incident}" if found.incident else ""
        raise HttpError(
            409, f"it was taken already: {found.verdict}{where}", code="taken"
        )
    letter = read_lying(doors.log.vault, key, found, doors.our_address)
    if letter is None:
        raise HttpError(
            409, "its words were forgotten with their writer: nothing can be taken"
        )
    return found, letter


def _key(request: Request) -> UUID:
    try:
        return UUID(request.path_params["letter"])
    except ValueError as error:
        raise HttpError(
            404, "a letter is named by its `letter`: see `GET /v1/letters`"
        ) from error


async def _asked(request: Request) -> RetryLetter:
    body = await read_body(request, ASKED_BYTES_MAX)
    try:
        return RetryLetter.model_validate(
            document_in(body, ASKED_DEPTH_MAX) if body else {}
        )
    except ValidationError as error:
        errors = located(error)
        raise HttpError(
            422, f"not understood: {errors[0]['msg']}", code="invalid", errors=errors
        ) from error


def _channel(policy: Policy, source: str) -> Channel:
    if source == FORM:
        return "web"
    rule = policy.sources.get(source)
    return rule.channel if isinstance(rule, Mailbox) else "email"
