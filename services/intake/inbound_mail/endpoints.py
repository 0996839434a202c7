"""Endpoints for mail: post a mail as `message/rfc822`, or retry one set aside.

People who may act for users post mails by hand or by a filter of the mail server; the
key of a mailbox's source may post them too.

A mail is set aside if it seems automatic, exceeds the limit or cannot be read. A person
who may act for users can look at it and have it taken nevertheless.
"""

from dataclasses import replace
from functools import partial
from http import HTTPStatus
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.intake.endpoint_context import EndpointContext
from services.intake.gate.api_keys import bearer
from services.intake.inbound_mail.context import MailResult
from services.intake.inbound_mail.message import LETTER_BYTES_MAX, InboundMail
from services.intake.inbound_mail.parser import read_letter
from services.intake.inbound_mail.store import (
    FORM,
    SET_ASIDE,
    SetAsideMail,
    lying,
    read_lying,
)
from services.intake.inbound_mail.worker import MailDelivery, MailIntake
from shared.domain.commands.contact import RetryLetter
from shared.domain.identifiers import is_incident_ref
from shared.domain.policy.document import Policy
from shared.domain.policy.sources import Mailbox, Source
from shared.domain.policy.targets import Channel
from shared.http.bearer import require_scope
from shared.http.bodies import document_in, read_body, size_ahead, validated
from shared.http.error_responses import answered
from shared.http.json_answer import json_answer
from shared.http.problem_details import HttpError
from shared.security.access import Caller
from shared.threads import in_thread

POSTED = "post"
"""The source name of mails that people post."""
_KINDS = ("", "message/rfc822", "application/octet-stream", "text/plain")
_SOURCE = "source:"


def mail_routes(context: EndpointContext, letters: MailIntake) -> list[Route]:
    """Return the routes for mail, whose bodies may be larger than those of signals."""
    take, again = (
        answered(partial(each, context, letters)) for each in (_take, _retry)
    )
    return [
        Route("/v1/contacts/mail", take, methods=["POST"]),
        Route("/v1/letters/{letter}/retry", again, methods=["POST"]),
    ]


async def _take(
    context: EndpointContext, letters: MailIntake, request: Request
) -> Response:
    """Take a mail as it was received."""
    token = bearer(request)
    caller = await context.gate.caller(request, token)
    named = _source_named(caller)
    policy = await context.in_force.known()
    if named is not None:
        await context.gate.admit(request, token, "mail")
    post = _post_of(caller, named, policy.sources.get(named or ""))
    post = replace(post, incident=_incident_chosen(request, named))
    _require_mail(request)
    authserv_id = _authserv_id(policy.sources.get(named or ""))
    size = size_ahead(request.headers, LETTER_BYTES_MAX)
    with context.gate.in_hand.room_for(size, caller.actor):
        return await _taken(context, letters, request, post, authserv_id)


async def _taken(
    context: EndpointContext,
    letters: MailIntake,
    request: Request,
    post: MailDelivery,
    authserv_id: str | None,
) -> Response:
    raw = await read_body(request, LETTER_BYTES_MAX)
    if not raw.strip():
        raise HttpError(422, "the body is empty: send the mail as it was received")
    letter = await in_thread(
        context.executor, read_letter, raw, context.our_address, authserv_id
    )
    if post.incident:
        letter = replace(letter, incidents=(post.incident,))
    taken = await letters.take(letter, replace(post, raw=raw))
    return taken_answer(taken, str(letter.key))


def _require_mail(request: Request) -> None:
    """Raise `HttpError` 415 if the body is declared as something other than a mail."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in _KINDS:
        raise HttpError(
            415,
            f"the body is {kind[:100]}: send the mail as it was received, as "
            "`Content-Type: message/rfc822`",
            code="not_mail",
        )


def _incident_chosen(request: Request, named: str | None) -> str | None:
    """Return the incident that the poster has chosen for a mail, or None."""
    chosen = request.query_params.get("incident")
    if chosen is None:
        return None
    if named is not None:
        raise HttpError(
            403, "where a mail belongs is an agent's to say: leave `incident` out"
        )
    if not is_incident_ref(chosen):
        raise HttpError(
            422, "`incident` is not a reference: write one such as INC-000042"
        )
    return chosen


def _authserv_id(source: Source | None) -> str | None:
    """Return the trusted authentication server; None for mails posted by hand."""
    return source.authserv_id if isinstance(source, Mailbox) else None


def _source_named(caller: Caller) -> str | None:
    """Return the source with this key, or None if a person calls.

    Raises `HttpError` 403 if the caller may not post mails.
    """
    if caller.actor.startswith(_SOURCE):
        require_scope(caller, "source")
        return caller.actor.removeprefix(_SOURCE)
    require_scope(caller, "agent", "manager", "admin")
    return None


def _post_of(caller: Caller, named: str | None, source: Source | None) -> MailDelivery:
    """Return the delivery data of a posted mail; `source` is the policy entry."""
    if named is None:
        return MailDelivery(caller.actor, caller.scopes, POSTED, "email")
    if not isinstance(source, Mailbox):
        raise HttpError(
            403,
            f"the policy has no mailbox {named}: declare it in `sources` as "
            "`type: imap`, or post with the token of an agent",
            code="scope",
        )
    return MailDelivery(caller.actor, caller.scopes, named, source.channel)


def taken_answer(taken: MailResult, key: str) -> Response:
    """Return the answer to the poster of a mail: 201 if it opened an incident."""
    fate = taken.fate
    told = {
        "verdict": fate.verdict,
        "repeated": taken.repeated,
        "incident": fate.incident,
        "person": fate.person,
        "known": taken.known,
        "note": fate.reason,
        "letter": key,
    }
    fresh = fate.verdict == "opened" and not taken.repeated
    status = HTTPStatus.CREATED if fresh else HTTPStatus.OK
    there = fate.verdict in ("opened", "attached") and fate.incident
    headers = {"Location": f"/v1/incidents/{fate.incident}"} if there else {}
    return json_answer(told, status, headers)


ASKED_BYTES_MAX = 4_096
ASKED_DEPTH_MAX = 2


async def _retry(
    context: EndpointContext, letters: MailIntake, request: Request
) -> Response:
    """Take a mail that was set aside, on the caller's authority."""
    caller = await context.gate.caller(request, bearer(request))
    require_scope(caller, "agent", "manager", "admin")
    policy = await context.in_force.known()
    key = _key(request)
    asked = await _asked(request)
    found, letter = await in_thread(context.executor, _found, context, key)
    post = MailDelivery(
        caller.actor,
        caller.scopes,
        found.source,
        _channel(policy, found.source),
        found.received_at,
        incident=asked.incident,
    )
    if post.incident:
        letter = replace(letter, incidents=(post.incident,))
    taken = await letters.take_again(letter, post)
    return taken_answer(taken, str(key))


def _found(context: EndpointContext, key: UUID) -> tuple[SetAsideMail, InboundMail]:
    with context.log.transaction() as cursor:
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
    letter = read_lying(context.log.vault, key, found, context.our_address)
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
    document = document_in(body, ASKED_DEPTH_MAX) if body else {}
    return validated(RetryLetter, document, "command")


def _channel(policy: Policy, source: str) -> Channel:
    if source == FORM:
        return "web"
    rule = policy.sources.get(source)
    return rule.channel if isinstance(rule, Mailbox) else "email"
