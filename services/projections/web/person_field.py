"""The fields of forms that name a person: what is typed may be a name or an id.

With a script the page proposes people while one types; without one, a name is looked up
when the form is sent. Whether the person may be named is for the owner of the command.
"""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from services.projections.web.actions import Action
from services.projections.web.api_client import ApiClient, ApiError
from shared.domain.policy.clause import PERSON

TYPED_MIN = 2
"""How many characters are looked up."""
TYPED_MAX = 100
PROPOSED_MAX = 8
"""How many people are proposed, or listed where a name fits several."""
_ID = re.compile(PERSON)
_UNPRINTABLE = re.compile(r"[\x00-\x1f]+")


async def people_like(client: ApiClient, typed: str) -> list[dict[str, Any]]:
    """Return people whose name or id has these words; none if nothing fits."""
    words = _UNPRINTABLE.sub(" ", typed).strip()[:TYPED_MAX]
    if len(words) < TYPED_MIN:
        return []
    found: list[dict[str, Any]] = (await client.get("/v1/people", {"q": words}))[
        "items"
    ]
    return found


async def with_people(
    client: ApiClient, action: Action, form: Mapping[str, str]
) -> Mapping[str, str]:
    """Return a form with the ids of the people it names. Raises `ApiError`."""
    named = [field.name for field in action.fields if field.control == "person"]
    meant = dict(form)
    for name in named:
        typed = form.get(name, "").strip()
        if typed:
            meant[name] = await _id_of(client, name, typed)
    return meant


async def _id_of(client: ApiClient, field: str, typed: str) -> str:
    is_id = _ID.fullmatch(typed) is not None
    if is_id and (await client.get("/v1/people", {"id": typed}))["items"]:
        return typed
    found = await people_like(client, typed)
    exact = [each for each in found if typed.casefold() in _names(each)]
    match exact or found:
        case [one]:
            return str(one["id"])
        case []:
            if is_id:  # perhaps somebody with rights, whom the directory lacks
                return typed
            raise _refused("unknown_assignee", f"nobody is called {typed}", field)
        case several:
            shown = (f"{each['name']} ({each['id']})" for each in several)
            listed = ", ".join([*shown][:PROPOSED_MAX])
            raise _refused("several_people", listed, field)


def _names(person: Mapping[str, Any]) -> tuple[str, str]:
    return str(person["name"]).casefold(), str(person["id"]).casefold()


def _refused(code: str, sentence: str, field: str) -> ApiError:
    return ApiError(HTTPStatus.UNPROCESSABLE_ENTITY, code, sentence, (field,))


def why_of(text: str, error: ApiError) -> str:
    """Return why a form was refused; with the people a name fits, if they are several.

    `text` is the refusal in the visitor's language.
    """
    return f"{text} {error}" if error.code == "several_people" else text
