"""The table of changes of who is on call: each form, and the command that it sends."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from services.projections.web.actions import Action, Field, body_of
from services.projections.web.api_client import ApiError
from shared.domain.policy.schedules import Role

OWN = "mine"
"""What stands in an address instead of a schedule: all of them."""
_FROM = Field("start", "instant", required=True)
_UNTIL = Field("end", "instant", required=True)
_ROLE = Field("role", "choice", required=True)
OVERRIDE = Action(
    "add_override",
    (Field("add", "person"), Field("remove", "choice"), _FROM, _UNTIL, _ROLE),
    command="overrides",
    versioned=False,
)
SWAP = Action(
    "request_swap",
    (
        Field("other", "person", required=True),
        _FROM,
        _UNTIL,
        Field("other_start", "instant"),
        Field("other_end", "instant"),
        _ROLE,
    ),
    command="swaps",
    versioned=False,
)
TEMPORARY = Action(
    "add_temporary_schedule",
    (Field("people", "names", required=True), _FROM, _UNTIL),
    command="temporary-schedules",
    versioned=False,
)
ABSENCE = Action(
    "add_absence",
    (Field("person", "person", required=True), _FROM, _UNTIL),
    command="absences",
    versioned=False,
)
CHANGES = (OVERRIDE, SWAP, TEMPORARY)
"""What the calendar of a schedule offers; an absence is one's own, in all schedules."""


@dataclass(frozen=True, slots=True)
class Place:
    """A schedule as its forms need it: its zone, its roles, and who may be chosen."""

    schedule: str
    zone: str
    roles: Sequence[Role]
    people: Sequence[str]
    names: Mapping[str, str]


def adapted(action: Action, place: Place) -> Action:
    """Return the form of a change of a schedule, with what there is to choose from."""
    texts = {id_: f"{place.names.get(id_, id_)} ({id_})" for id_ in place.people}
    choices = {
        "role": replace(_ROLE, choices=tuple(place.roles)),
        "remove": Field("remove", "choice", choices=tuple(place.people), texts=texts),
        "people": replace(
            TEMPORARY.fields[0], choices=tuple(place.people), texts=texts
        ),
    }
    fields = (
        replace(choices.get(field.name, field), zone=place.zone)
        for field in action.fields
        if field.name != "role" or len(place.roles) > 1
    )
    return replace(action, fields=tuple(fields))


def body_for(action: Action, form: Mapping[str, str]) -> dict[str, Any]:
    """Return the body of the command, without what its path names.

    The form names somebody: see `require_people`.
    """
    body = dict(body_of(action, form))
    if action.verb == OVERRIDE.verb:
        body["kind"] = _KINDS["add" in body, "remove" in body]
    elif action.verb == TEMPORARY.verb:
        shift = {name: body[name] for name in ("start", "end") if name in body}
        body["shifts"] = [{"people": body.pop("people", []), **shift}]
    elif action.verb == ABSENCE.verb:
        body.pop("person", None)
    return body


def require_people(action: Action, form: Mapping[str, str]) -> None:
    """Raise `ApiError` if a form names nobody, at the field to fill in."""
    body = body_of(action, form)
    if action.verb == OVERRIDE.verb and not {"add", "remove"} & body.keys():
        raise _unnamed("add", "name who is on call")
    if action.verb == TEMPORARY.verb and "people" not in body:
        raise _unnamed("people", "name at least one person")


def _unnamed(field: str, sentence: str) -> ApiError:
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    return ApiError(status, "invalid", sentence, (field,), (sentence,))


_KINDS = {(True, False): "add", (False, True): "remove", (True, True): "replace"}


def path_of(action: Action, schedule: str, form: Mapping[str, str]) -> str:
    """Return the path at which the API takes the command."""
    if action.verb == ABSENCE.verb:
        person = quote(form.get("person", "").strip() or "-", safe="")
        return f"/v1/people/{person}/{action.path}"
    return f"/v1/oncall/{quote(schedule, safe='')}/{action.path}"
