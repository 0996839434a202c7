"""Acting from a screen: forms that send one command each.

An action is a row in a table: a command of the API and the fields of its form. The form
also has a CSRF token, an idempotency key, so that a form sent twice acts once, and the
version that the visitor saw, so that nobody decides on what is no longer so.

An answer that is a definite no (4xx) gives the form a new key, since the corrected form
is another command. When nothing answers in time, the key stays: the command may have
been executed, and sending it again must not execute it twice.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from http import HTTPStatus
from secrets import token_urlsafe
from typing import Any, Literal, assert_never
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from starlette.requests import Request

from services.projections.api.session_cookie import session_in
from services.projections.web.api_client import ApiClient, ApiError
from services.projections.web.csrf import FIELD, is_genuine, token_for
from shared.domain.policy.cross_checks import is_zone
from shared.http.bodies import read_body
from shared.http.problem_details import HttpError

FORM_BYTES_MAX = 200_000
"""Two texts of 10 000 characters, each at worst encoded as `%F0%9F%98%A1`."""
FIELDS_MAX = 60
_SHORT_REFERENCE = re.compile(r"(?:(INC|PRB|CHG)-?)?([0-9]{1,12})", re.IGNORECASE)
_NAMED = re.compile("`([a-z_]+)`")
KEY = "key"
KEY_BYTES = 16
VERSION = "version"
_OWN = (FIELD, KEY, VERSION)

Control = Literal[
    "line",
    "words",
    "person",
    "choice",
    "several",
    "flag",
    "reference",
    "instant",
    "names",
]


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a form, with the name that the body of the command gives it.

    `control` says how it is entered; `names` are ticked, or separated by spaces. Its
    label is in the catalog under `page.field`, the texts of `choices` are under
    `page.choice`.
    """

    name: str
    control: Control = "line"
    required: bool = False
    choices: tuple[str, ...] = ()
    rare: bool = False
    """Whether it is folded away until somebody wants it."""
    zone: str = "UTC"
    """The time zone in which an `instant` is entered: that of the page."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """What `choices` of this record are called, where no catalog knows them."""


@dataclass(frozen=True, slots=True)
class Following:
    """A command after that of an action, with the fields of its body."""

    command: str
    fixed: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Action:
    """A command that a screen offers: `verb` is the end of its path, after the record.

    `key` is the key on the keyboard that opens its form, or sends a form without
    fields.
    """

    verb: str
    fields: tuple[Field, ...] = ()
    key: str | None = None
    command: str | None = None
    """The end of the path of its command, if that is not `verb`."""
    fixed: tuple[tuple[str, str], ...] = ()
    """Fields of the body that nobody enters, with their values."""
    versioned: bool = True
    """Whether it is refused if the record has changed since the visitor saw it."""
    then: tuple["Following", ...] = ()
    """What one press also gives, in this order, about the record as it is then."""

    @property
    def path(self) -> str:
        """The end of the path of its command."""
        return self.command or self.verb


@dataclass(frozen=True, slots=True)
class Draft:
    """A form as it is shown: new, or as it was sent and not accepted."""

    csrf: str
    key: str
    version: str
    values: Mapping[str, str]
    why: str = ""
    """Why it was not accepted, in the visitor's language."""
    wrong: tuple[str, ...] = ()
    """The names of the fields to correct."""
    conflict: bool = False
    """Whether the record changed since the visitor saw it."""


class Expired(Exception):
    """The form is not one that we showed to this visitor; what it says is kept."""

    def __init__(self, form: Mapping[str, str]) -> None:
        super().__init__("the form is not genuine, or was shown before signing in")
        self.form = form


def new_draft(request: Request, version: int | None = None) -> Draft:
    """Return an empty form for the visitor, about a record with this version."""
    csrf = token_for(session_in(request) or "")
    shown = "" if version is None else str(version)
    return Draft(csrf, token_urlsafe(KEY_BYTES), shown, {})


async def sent_form(request: Request) -> Mapping[str, str]:
    """Return the fields of a genuine form. Raises `Expired`, `HttpError`."""
    return dict(await sent_fields(request, FIELDS_MAX))


async def sent_fields(request: Request, most: int) -> Sequence[tuple[str, str]]:
    """Return the same with repeated fields, at most so many of all."""
    body = (await read_body(request, FORM_BYTES_MAX)).decode("utf-8", "replace")
    try:
        fields = parse_qsl(body, keep_blank_values=True, max_num_fields=most)
    except ValueError as error:
        raise HttpError(422, f"a form has at most {most} fields") from error
    form = dict(fields)
    if not is_genuine(request, form):
        raise Expired(form)
    return fields


async def act(
    client: ApiClient, record: str, action: Action, form: Mapping[str, str]
) -> dict[str, Any]:
    """Send the command of a form about `record`, a path of the API; return its answer.

    Raises `ApiError`.
    """
    # By its verb: two actions of a page may be the same command with other fields.
    path, own = f"{record}/{action.path}", f"{record}/{action.verb}"
    headers = key_header(form, own)
    if form.get(VERSION) and action.versioned:
        headers["If-Match"] = f'"{form[VERSION]}"'
    answer = await client.post(path, body_of(action, form), headers)
    if not action.then:
        return answer
    positions = [*answer["positions"]]
    for each in action.then:
        path = f"{record}/{each.command}"
        key = key_header(form, f"{own}/{each.command}")
        try:
            after = await client.post(path, dict(each.fixed), key)
        except ApiError as error:
            if not error.is_definite:
                raise
            break  # what the press is called is done; the page shows what is not
        positions += after["positions"]
    return {**answer, "positions": positions}


def key_header(form: Mapping[str, str], path: str) -> dict[str, str]:
    """Return the header by which a form acts once, however often it is sent.

    All forms of a page may share its key. `path`, of the form or of its command, tells
    them apart: a note typed before another form was sent is not its repetition.
    """
    key = form.get(KEY) or token_urlsafe(KEY_BYTES)
    return {"Idempotency-Key": f"{key}.{sha256(path.encode()).hexdigest()[:16]}"}


def body_of(action: Action, form: Mapping[str, str]) -> Mapping[str, Any]:
    """Return the body of the command; fields left blank are absent from it."""
    values = ((field.name, _value(field, form)) for field in action.fields)
    entered = {name: value for name, value in values if value is not None}
    return {**dict(action.fixed), **entered}


def _value(field: Field, form: Mapping[str, str]) -> object:
    written = form.get(field.name, "")
    match field.control:
        case "several":
            return _chosen(field, form)
        case "instant":
            zone = form.get(f"{field.name}:zone", "UTC")
            return _instant(written.strip(), zone) or None
        case "names":
            return [*_chosen(field, form), *written.replace(",", " ").split()] or None
        case "flag":
            return True if written else None
        case "words":
            # Browsers send the line breaks of a text area as CR and LF.
            return written.replace("\r\n", "\n") if written.strip() else None
        case "line" | "person" | "choice" | "reference":
            return _line(field, written.strip()) or None
        case _:
            assert_never(field.control)


def _chosen(field: Field, form: Mapping[str, str]) -> list[str]:
    """Return what was ticked of the choices of a field."""
    start = f"{field.name}:"
    return [name.removeprefix(start) for name in form if name.startswith(start)]


def _line(field: Field, written: str) -> str:
    if field.control != "reference":
        return written
    # A record of another organisation may be called by a number alone.
    usual = None if field.name == "target" else "INC"
    return reference_of(written, usual) or written


def reference_of(written: str, usual: str | None = None) -> str | None:
    """Return the complete reference of what is said as `inc-10`; None if it is not one.

    A number alone is one of the `usual` kind, if there is one.
    """
    found = _SHORT_REFERENCE.fullmatch(written.strip())
    kind = (found[1] or usual) if found else None
    if found is None or kind is None:
        return None
    return f"{kind.upper()}-{int(found[2]):06d}"


def _instant(local: str, zone: str) -> str:
    """Return a local time of a form with its offset; as it is, if it is not one."""
    try:
        at = datetime.fromisoformat(local)
    except ValueError:
        return local
    if at.tzinfo or not is_zone(zone):
        return local
    return at.replace(tzinfo=ZoneInfo(zone)).isoformat()


def refused_draft(
    request: Request,
    form: Mapping[str, str],
    error: ApiError | Expired,
    why: str,
    action: Action | None = None,
) -> Draft:
    """Return the form that was not accepted, with everything that was typed.

    With its `action`, the fields that the refusal names are marked.
    """
    status = error.status if isinstance(error, ApiError) else HTTPStatus.FORBIDDEN
    is_definite = not isinstance(error, ApiError) or error.is_definite
    fresh = new_draft(request)
    wrong = _wrong(error, action) if isinstance(error, ApiError) else ()
    changed = status in (HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED)
    return Draft(
        csrf=fresh.csrf,
        key=fresh.key if is_definite else form.get(KEY) or fresh.key,
        version=form.get(VERSION, ""),
        values={name: value for name, value in form.items() if name not in _OWN},
        why=why,
        wrong=wrong,
        # If a field is to be given, nothing has changed.
        conflict=changed and not (action and wrong),
    )


def _wrong(error: ApiError, action: Action | None) -> tuple[str, ...]:
    """Return the fields to correct: those said to be invalid, or else to be given."""
    if error.fields or action is None:
        return error.fields
    if error.code == "unknown_assignee":
        return ("assignee",)
    fields = {field.name for field in action.fields}
    return tuple(name for name in _NAMED.findall(str(error)) if name in fields)


def action_of(actions: Sequence[Action], verb: str) -> Action | None:
    """Return the action with a verb, None if a screen does not offer it."""
    return next((each for each in actions if each.verb == verb), None)
