"""The door for posted mails: `message/rfc822`, as received, and its outcome.

Whoever may act for users posts them by hand or by a filter of the mail server; the key
of a mailbox's source does too.
"""

import asyncio
from dataclasses import replace
from http import HTTPStatus

import orjson
from starlette.requests import Request
from starlette.responses import Response

from services.intake.callers import bearer
from services.intake.doors import Doors
from services.intake.letters.letter import LETTER_BYTES_MAX
from services.intake.letters.reading import read_letter
from services.intake.letters.seeing import Taken
from services.intake.letters.taking import Post
from shared.domain.identifiers import is_incident_ref
from shared.domain.policy.sources import Mailbox, Source
from shared.http.bearer import require_scope
from shared.http.bodies import read_body, size_ahead
from shared.http.problem_details import HttpError
from shared.security.access import Caller

POSTED = "post"
"""The source of what people post."""
_KINDS = ("", "message/rfc822", "application/octet-stream", "text/plain")
_SOURCE = "source:"


async def take_mail(doors: Doors, request: Request) -> Response:
    """Take a mail as it was received."""
    token = bearer(request)
    caller = await doors.gate.caller(request, token)
    named = _source_named(caller)
    policy = await doors.in_force.known()
    if named is not None:
        await doors.gate.admit(request, token, "mail")
    post = _post_of(caller, named, policy.sources.get(named or ""))
    post = replace(post, incident=_incident_chosen(request, named))
    _require_mail(request)
    authserv_id = _authserv_id(policy.sources.get(named or ""))
    size = size_ahead(request.headers, LETTER_BYTES_MAX)
    with doors.gate.in_hand.room_for(size, caller.actor):
        return await _taken(doors, request, post, authserv_id)


async def _taken(
    doors: Doors, request: Request, post: Post, authserv_id: str | None
) -> Response:
    raw = await read_body(request, LETTER_BYTES_MAX)
    if not raw.strip():
        raise HttpError(422, "the body is empty: send the mail as it was received")
    loop = asyncio.get_running_loop()
    letter = await loop.run_in_executor(
        doors.executor, read_letter, raw, doors.our_address, authserv_id
    )
    if post.incident:
        letter = replace(letter, incidents=(post.incident,))
    taken = await doors.letters.take(letter, replace(post, raw=raw))
    return taken_answer(taken, str(letter.key))


def _require_mail(request: Request) -> None:
    """Raise `HttpError` 415 if the body says that it is something else than a mail."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in _KINDS:
        raise HttpError(
            415,
            f"the body is {kind[:100]}: send the mail as it was received, as "
            "`Content-Type: message/rfc822`",
            code="not_mail",
        )


def _incident_chosen(request: Request, named: str | None) -> str | None:
    """Return the incident that the poster says a mail belongs to, None where not so."""
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
    """Return whose word on senders counts; nobody's for what people post by hand."""
    return source.authserv_id if isinstance(source, Mailbox) else None


def _source_named(caller: Caller) -> str | None:
    """Return the source whose key this is, None where a person calls.

    `HttpError` 403 where the caller may not post mails.
    """
    if caller.actor.startswith(_SOURCE):
        require_scope(caller, "source")
        return caller.actor.removeprefix(_SOURCE)
    require_scope(caller, "agent", "manager", "admin")
    return None


def _post_of(caller: Caller, named: str | None, source: Source | None) -> Post:
    """Return how a mail came that this caller posts; `source` is what policy says."""
    if named is None:
        return Post(caller.actor, caller.scopes, POSTED, "email")
    if not isinstance(source, Mailbox):
        raise HttpError(
            403,
            f"the policy has no mailbox {named}: declare it in `sources` as "
            "`type: imap`, or post with the token of an agent",
            code="scope",
        )
    return Post(caller.actor, caller.scopes, named, source.channel)


def taken_answer(taken: Taken, key: str) -> Response:
    """Return the answer to whom posted a mail: 201 where it opened an incident."""
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
    return Response(orjson.dumps(told), status, headers, "application/json")
