"""What the screens of operations share: a sent form, and days that an address names."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from http import HTTPStatus
from typing import Any
from zoneinfo import ZoneInfo

from starlette.requests import Request

from services.projections.api.limits import YEARS
from services.projections.web.actions import (
    Draft,
    Expired,
    refused_draft,
    sent_form,
)
from services.projections.web.api_client import ApiError
from services.projections.web.people.visitor import why_not
from shared.web.language import language_of
from shared.web.rendering import refusal_text

Form = Mapping[str, str]
Send = Callable[[Form], Awaitable[Mapping[str, Any]]]


@dataclass(frozen=True, slots=True)
class Refused:
    """A form that was not accepted, to be shown again."""

    verb: str
    draft: Draft
    status: int
    detail: str = ""
    """The sentence of the API, if it says more than the draft does."""


async def submitted(
    request: Request, verb: str, send: Send
) -> Mapping[str, Any] | Refused:
    """Send what a form says; return the answer, or the form to be shown again.

    Raises `ApiError` if the visitor is not signed in any more, or may not do it.
    """
    language = language_of(request)
    try:
        form = await sent_form(request)
    except Expired as error:
        why = refusal_text(language, "form")
        draft = refused_draft(request, error.form, error, why)
        return Refused(verb, draft, HTTPStatus.FORBIDDEN)
    try:
        return await send(form)
    except ApiError as error:
        if error.is_signed_out or error.status == HTTPStatus.FORBIDDEN:
            raise
        why, detail = why_not(language, error)
        draft = refused_draft(request, form, error, why)
        return Refused(verb, draft, error.status, detail)


def midnight(text: str, zone: str, days: int = 0) -> str | None:
    """Return when a day begins that an address or a form names, or one days later.

    None for anything that is not a day: an address may be typed, or old.
    """
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    if day.year not in YEARS:
        return None
    begins = datetime.combine(day + timedelta(days=days), time(), ZoneInfo(zone))
    return begins.isoformat()
