"""The screen of a new contact: who calls, what it may belong to, and the receipt.

Somebody whom the directory does not have is entered in the same form. What was typed to
look them up is not typed again: it is their name, number or address where that field is
left blank.

One form. While it is filled in, what is found is looked up again and shown beside it;
without a script, by a button. Looking up is a POST, so that nothing a caller says is
in an address. What cannot be looked up at the moment is left out: the contact is taken
all the same.
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from services.projections.web.actions import (
    KEY,
    Action,
    Draft,
    Expired,
    Field,
    body_of,
    key_header,
    new_draft,
    refused_draft,
    sent_form,
)
from services.projections.web.api_client import (
    ApiClient,
    ApiError,
    names_of,
    owner_of,
)
from services.projections.web.rendering import page, refusal_of
from services.projections.web.screens import screen
from shared.i18n.catalog import Language, text_of
from shared.i18n.formats import language_of as language_for
from shared.web.language import language_of
from shared.web.rendering import refusal_text

router = APIRouter(include_in_schema=False)

NEW = "+new"
"""The choice of a new caller, where an id of a person is chosen otherwise."""
CALLER_FIELDS = ("name", "phone", "email", "client")
_PHONE = re.compile(r"[0-9+ ().-]{4,40}")
PLACE = "/contacts/new"
CALLER_MIN = 2
"""How many characters of a caller are looked up."""
CHANNELS = ("phone", "chat", "in_person", "email")
DEGREES = ("high", "medium", "low")
"""The values of urgency and impact."""
CONTACT = Action(
    "contacts",
    (
        Field("person", "person"),
        Field("channel", "choice", required=True, choices=CHANNELS),
        Field("words", "words"),
        Field("incident", "reference"),
        Field("service"),
        Field("title"),
        Field("urgency", "choice", choices=DEGREES),
        Field("impact", "choice", choices=DEGREES),
        Field("waited_seconds"),
        Field("abandoned", "flag"),
    ),
)
"""The command that the form sends: `POST /v1/contacts`."""
_OPENING = ("service", "title", "urgency", "impact")
"""Fields that only a new incident has."""


@dataclass(frozen=True, slots=True)
class Found:
    """What was looked up for a form; empty where it cannot be at the moment."""

    services: Sequence[Mapping[str, Any]] = ()
    callers: Sequence[Mapping[str, Any]] = ()
    clients: Sequence[str] = ()
    proposals: Sequence[Mapping[str, Any]] = ()
    is_away: bool = False
    """Whether something could not be looked up."""

    def person(self, chosen: str) -> str:
        """Return whom the form is about: who is chosen, or the only one found."""
        ids = [each["person"]["id"] for each in self.callers]
        if chosen in (NEW, *ids) or len(ids) != 1:
            return chosen
        return str(ids[0])

    def open_for(self, person: str) -> Sequence[Mapping[str, Any]]:
        """Return open incidents to which the contact may belong, each once."""
        own = [
            incident
            for each in self.callers
            if each["person"]["id"] == person
            for incident in (*each["reported"], *each["of_client"])
        ]
        known = [each for each in self.proposals if each["kind"] == "incident"]
        found: dict[str, dict[str, Any]] = {}
        for each in (*known, *own):  # what is known of it, and why it is proposed
            found.setdefault(each["ref"], {}).update(each)
        return list(found.values())


@router.get("/contacts/new")
async def get_form(request: Request) -> Response:
    """Show an empty form; with `?person=`, one for a contact of that person."""
    return await screen(request, _empty)


@router.post("/contacts/new/look-up")
async def post_look_up(request: Request) -> Response:
    """Show the form as it is, with what is found for it; this records nothing."""
    return await screen(request, _looked_up)


@router.post("/contacts/new")
async def post_contact(request: Request) -> Response:
    """Record the contact and show its receipt, or the form with what is wrong."""
    return await screen(request, _record)


async def _empty(request: Request, client: ApiClient) -> Response:
    draft = new_draft(request)
    if who := request.query_params.get("person", ""):
        name = (await names_of(client, [who])).get(who)
        values = {"caller": name, "person": who} if name else {"caller": who[:100]}
        draft = replace(draft, values=values)
    return await _shown(request, client, draft)


async def _looked_up(request: Request, client: ApiClient) -> Response:
    try:
        form = await sent_form(request)
    except Expired as error:
        return await _expired(request, client, error)
    values = {name: value for name, value in form.items() if name != KEY}
    draft = replace(new_draft(request), values=values)
    if form.get(KEY):  # the form stays the same one, so that it is recorded once
        draft = replace(draft, key=form[KEY])
    return await _shown(request, client, draft)


async def _record(request: Request, client: ApiClient) -> Response:
    language = language_of(request)
    try:
        form = await sent_form(request)
    except Expired as error:
        return await _expired(request, client, error)
    try:
        answer = await _sent(client, await _meant(form, client, language))
        names = await names_of(client, [answer["person"]])
    except ApiError as refused:
        if refused.is_signed_out:
            raise
        no = _in_form(refused) if _is_new(form) else refused
        why = refusal_of(language, no)
        draft = refused_draft(request, form, no, why)
        return await _shown(request, client, draft, no.status)
    return page(
        "contact.html",
        language,
        HTTPStatus.CREATED,
        answer=answer,
        is_new=_is_new(form),
        names=names,
        receipt=answer["receipt"],
        promises=_read_out(answer["receipt"], language),
        place=PLACE,
    )


def _read_out(
    receipt: Mapping[str, Any] | None, language: Language
) -> Sequence[tuple[str, Mapping[str, Any]]]:
    """Return the open promises, each in words of the person's language."""
    if receipt is None:
        return ()
    theirs = language_for(receipt["language"], language)
    return [
        (text_of(theirs, "page.promise", each["target"]), each)
        for each in receipt["promises"]
        if each["is_open"] and each["due_text"]
    ]


async def _sent(client: ApiClient, form: Mapping[str, str]) -> Mapping[str, Any]:
    """Record the contact of a form; return the answer. Raises `ApiError`."""
    body = dict(body_of(CONTACT, form))
    if _is_new(form):
        body |= {"person": None, "caller": _caller_in(form)}
    headers = key_header(form, "/v1/contacts")
    return await client.post("/v1/contacts", body, headers)


async def _meant(
    form: Mapping[str, str], client: ApiClient, language: Language
) -> Mapping[str, str]:
    """Return the form with the person that is meant. Raises `ApiError`.

    That is who was chosen, else the only person who was found. Who hung up before they
    said anything is to be called back.
    """
    meant = dict(form)
    if not form.get("person"):
        callers, _ = await _callers(form, client)
        meant["person"] = Found(callers=callers).person("")
        if not meant["person"]:
            raise ApiError(
                HTTPStatus.UNPROCESSABLE_ENTITY, "person_missing", "who?", ("caller",)
            )
    if form.get("incident"):
        meant |= dict.fromkeys(_OPENING, "")
    elif form.get("abandoned") and not (form.get("title") or form.get("words")):
        meant["title"] = text_of(language, "page", "call_back")
    return meant


async def _expired(request: Request, client: ApiClient, error: Expired) -> Response:
    why = refusal_text(language_of(request), "form")
    draft = refused_draft(request, error.form, error, why)
    return await _shown(request, client, draft, HTTPStatus.FORBIDDEN)


async def _shown(
    request: Request, client: ApiClient, draft: Draft, status: int = HTTPStatus.OK
) -> Response:
    me = await client.get("/v1/me", {})  # an expired sign-in is not left for later
    language = language_of(request)
    found = await _found(draft.values, language, client)
    person = found.person(draft.values.get("person", ""))
    return page(
        "contact.html",
        language,
        status,
        draft=draft,
        found=found,
        person_id=person,
        new=NEW,
        incidents=found.open_for(person),
        channels=CHANNELS,
        degrees=DEGREES,
        place=PLACE,
        **owner_of(me),
    )


async def _found(values: Mapping[str, str], language: str, client: ApiClient) -> Found:
    (
        (services, no_services),
        (callers, away),
        (clients, no_clients),
        (proposals, behind),
    ) = await asyncio.gather(
        _services(language, client),
        _callers(values, client),
        _clients(values, client),
        _proposals(values, client),
    )
    is_away = away or behind or no_services or no_clients
    known = [each["client"] for each in clients]
    return Found(services, callers, known, proposals, is_away)


_Items = tuple[Sequence[Mapping[str, Any]], bool]
"""What was found, and whether it could not be looked up."""


async def _services(language: str, client: ApiClient) -> _Items:
    try:
        form = await client.get("/v1/reports/form", {"lang": language})
    except ApiError as error:
        return (), error.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return form["services"], False


async def _clients(form: Mapping[str, str], client: ApiClient) -> _Items:
    return await _items(client, "/v1/clients", {}) if _is_new(form) else ((), False)


async def _callers(form: Mapping[str, str], client: ApiClient) -> _Items:
    """Return who fits what was typed; of a new caller also who has their number."""
    typed = [form.get("caller", "")]
    if _is_new(form):
        typed += [form.get(f"caller_{name}", "") for name in ("phone", "email")]
    asked = dict.fromkeys(
        q for each in typed if len(q := each.strip()[:100]) >= CALLER_MIN
    )
    found = [await _items(client, "/v1/callers", {"q": q}) for q in asked]
    people = {each["person"]["id"]: each for items, _ in found for each in items}
    return list(people.values()), any(away for _, away in found)


async def _proposals(values: Mapping[str, str], client: ApiClient) -> _Items:
    service, words = values.get("service", ""), values.get("words", "").strip()
    if not service and not words:
        return (), False
    asked = {"words": words[:2_000], **({"service": service} if service else {})}
    return await _items(client, "/v1/proposals", asked)


async def _items(
    client: ApiClient, path: str, asked: Mapping[str, str | list[str]]
) -> _Items:
    try:
        found = await client.get(path, asked)
    except ApiError as error:
        if error.is_signed_out:
            raise
        return (), True
    return found["items"], False


def _is_new(form: Mapping[str, str]) -> bool:
    """Return whether the form is about a new caller."""
    return form.get("person") == NEW


def _typed_as(typed: str) -> Mapping[str, str]:
    """Return the field of an entry that the text of the look-up is."""
    text = typed.strip()
    if _PHONE.fullmatch(text):
        return {"phone": text}
    return {"email" if "@" in text else "name": text} if text else {}


def _caller_in(form: Mapping[str, str]) -> Mapping[str, str]:
    """Return the `caller` of a contact; blank fields are absent from it.

    Somebody who leaves only a number or an address is called by it.
    """
    typed = _typed_as(form.get("caller", ""))
    given = {
        name: form.get(f"caller_{name}", "").strip() or typed.get(name, "")
        for name in CALLER_FIELDS
    }
    name = given["name"] or given["phone"] or given["email"]
    return {key: value for key, value in {**given, "name": name}.items() if value}


def _in_form(error: ApiError) -> ApiError:
    """Return a refusal of a new caller with the names that the form has."""
    wrong = tuple(
        f"caller_{each}" if each in CALLER_FIELDS else each for each in error.fields
    )
    match error.code:
        case "caller_known":
            wrong = ("caller_email",)
        case "limits":
            wrong = ("caller_client",)
        case _:
            pass
    return ApiError(error.status, error.code, str(error), wrong)
