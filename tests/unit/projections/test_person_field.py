"""Which person a form means, from what was typed."""

import asyncio

import pytest
from fastapi import FastAPI

from services.projections.web.actions import Action, Field
from services.projections.web.api_client import ApiClient
from services.projections.web.person_field import with_people

DIRECTORY = {"amina": "Amina Diallo", "ann": "Ann Lee", "anna": "Anna Leeds"}
ASSIGN = Action("assign", (Field("assignee", "person"), Field("reason")))
app = FastAPI()


@app.get("/v1/people")
async def get_people(q: str = "", id: str = "") -> dict[str, list[dict[str, str]]]:  # noqa: A002 # as the API names it
    """Answer like the API: people with this id, or with these words."""
    people = [
        {"id": key, "name": name}
        for key, name in DIRECTORY.items()
        if key == id or (q and q.casefold() in f"{key} {name}".casefold())
    ]
    return {"items": people}


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("amina", "amina"),
        ("Amina", "amina"),
        ("diallo", "amina"),
        ("Ann Lee", "ann"),
        ("only-a-token", "only-a-token"),
        ("", ""),
    ],
)
def test_an_id_or_a_name_means_one_person(typed: str, meant: str) -> None:
    form = {"assignee": typed, "reason": "Amina"}

    found = asyncio.run(with_people(ApiClient(app, None), ASSIGN, form))

    assert found == {"assignee": meant, "reason": "Amina"}
