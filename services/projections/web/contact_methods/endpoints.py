"""The screen of one's own contact methods: added, verified, put in order by rules."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, unquote, urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.projections.web.actions import Expired, key_header, new_draft, sent_fields
from services.projections.web.api_client import (
    ApiClient,
    ApiError,
    owner_of,
    person_of,
)
from services.projections.web.contact_methods.forms import (
    DELAYS,
    FIELDS_MAX,
    REPEATS,
    SETS,
    body_of_rules,
    lines,
    quiet,
)
from services.projections.web.people.visitor import why_not
from services.projections.web.rendering import page
from services.projections.web.screens import screen
from shared.http.problem_details import HttpError
from shared.web.language import language_of
from shared.web.rendering import refusal_text

router = APIRouter(include_in_schema=False)

PLACE = "/me/contact-methods"
VERBS = ("verify", "send-code", "remove")
"""What can be done to a method; each is a form."""
DONE = frozenset({"added", "rules", "tested", *VERBS})
_NOBODY: Mapping[str, Any] = {
    "items": [],
    "kinds": [],
    "web_push_key": None,
    "readiness": "unreachable",
    "rules": None,
    "version": 0,
    "zone": None,
    "address_changes": [],
}
Form = Mapping[str, str]
Do = Callable[[ApiClient, str, Form, Mapping[str, str]], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Refused:
    """A form that was not accepted: `about` says which one, `why` in words."""

    about: str
    why: str
    status: int
    detail: str = ""
    form: Form = field(default_factory=dict)


@router.get(PLACE)
async def get_contact_methods(request: Request) -> Response:
    """Show how the visitor is reached."""
    return await screen(request, _shown)


@router.post(PLACE)
async def post_contact_method(request: Request) -> Response:
    """Add a contact method, to which a code is sent."""
    return await screen(request, partial(_act, "added", _add))


@router.post("/me/notification-rules")
async def post_rules(request: Request) -> Response:
    """Set how the visitor is notified."""
    return await screen(request, partial(_act, "rules", _set_rules))


@router.post("/me/page-tests")
async def post_page_test(request: Request) -> Response:
    """Test the visitor's pages."""
    return await screen(request, partial(_act, "tested", _test_pages))


@router.post(PLACE + "/{method}/{verb}")
async def post_to_method(request: Request, method: str, verb: str) -> Response:
    """Enter a code, ask for a new one, or remove a method."""
    if verb not in VERBS:
        raise HttpError(404, f"this page has no action {verb[:64]}")
    return await screen(request, partial(_act, verb, partial(_to_method, method, verb)))


async def _act(done: str, do: Do, request: Request, client: ApiClient) -> Response:
    language = language_of(request)
    try:
        form = dict(await sent_fields(request, FIELDS_MAX))
    except Expired as error:
        why = refusal_text(language, "form")
        refused = Refused(done, why, HTTPStatus.FORBIDDEN, form=error.form)
        return await _shown(request, client, refused)
    me = await client.get("/v1/me", {})
    own = f"/v1/people/{_quoted(str(me['actor']).removeprefix('person:'))}"
    headers = key_header(form, request.url.path)
    try:
        await do(client, own, form, headers)
    except ApiError as error:
        if error.is_signed_out:
            raise
        why, detail = why_not(language, error)
        refused = Refused(done, why, error.status, detail, form)
        return await _shown(request, client, refused)
    onward = f"{PLACE}?{urlencode({'done': done})}"
    return RedirectResponse(onward, HTTPStatus.SEE_OTHER)


async def _add(
    client: ApiClient, own: str, form: Form, headers: Mapping[str, str]
) -> None:
    body = {"kind": form.get("kind", ""), "value": form.get("value", "")}
    await client.post(f"{own}/contact-methods", body, headers)


async def _to_method(
    method: str,
    verb: str,
    client: ApiClient,
    own: str,
    form: Form,
    headers: Mapping[str, str],
) -> None:
    path = f"{own}/contact-methods/{_quoted(method)}"
    if verb == "remove":
        await client.delete(path, headers)
    else:
        body = {"code": form.get("code", "")} if verb == "verify" else {}
        await client.post(f"{path}/{verb}", body, headers)


async def _set_rules(
    client: ApiClient, own: str, form: Form, headers: Mapping[str, str]
) -> None:
    view = await client.get(f"{own}/contact-methods", {})
    methods = [each["method"] for each in view["items"] if each["verified"]]
    body = body_of_rules(form, methods)
    await client.post(f"{own}/notification-rules", body, headers)


async def _test_pages(
    client: ApiClient, own: str, _form: Form, headers: Mapping[str, str]
) -> None:
    person = unquote(own.rpartition("/")[2])
    await client.post("/v1/oncall/page-tests", {"person": person}, headers)


async def _shown(
    request: Request, client: ApiClient, refused: Refused | None = None
) -> Response:
    me = await client.get("/v1/me", {})
    person = person_of(me["actor"])
    view = await _view(client, person)
    test = await _newest_test(client, person) if view is not _NOBODY else None
    about_rules = refused is not None and refused.about == "rules"
    sent = refused.form if refused and about_rules else {}
    done = request.query_params.get("done", "")
    return page(
        "contact_methods.html",
        language_of(request),
        refused.status if refused else HTTPStatus.OK,
        **owner_of(me),
        view=view,
        known=view is not _NOBODY,
        test=test,
        refused=refused,
        draft=new_draft(request),
        sets=SETS,
        lines=lines(view, sent),
        quiet=quiet(view, sent),
        kind_of={each["method"]: each for each in view["items"]},
        delays=[str(each) for each in DELAYS],
        repeats=[str(each) for each in REPEATS],
        zone=view["zone"] or me["zone"],
        place=PLACE,
        done=f"contact_method_{done}" if done in DONE and not refused else "",
    )


async def _view(client: ApiClient, person: str) -> Mapping[str, Any]:
    """Return how a person is reached; that of nobody if the directory has no entry."""
    try:
        return await client.get(f"/v1/people/{_quoted(person)}/contact-methods", {})
    except ApiError as error:
        if error.status in (HTTPStatus.NOT_FOUND, HTTPStatus.UNPROCESSABLE_ENTITY):
            return _NOBODY
        raise


async def _newest_test(client: ApiClient, person: str) -> Mapping[str, Any] | None:
    """Return the newest test of a person's pages; None without one, or a policy."""
    try:
        found = await client.get("/v1/oncall/page-tests", {"person": person})
    except ApiError as error:
        if error.status == HTTPStatus.NOT_FOUND:
            return None
        raise
    return next(iter(found["items"]), None)


def _quoted(text: str) -> str:
    return quote(text, safe="")
