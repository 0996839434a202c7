"""`permanence people methods`: how somebody is reached, and whether by a page."""

from typing import Annotated
from urllib.parse import quote

import typer

from cli.shell.api_client import Api, ApiUrl, Token
from cli.shell.desk import desk_of
from cli.shell.output import AsJson, answer
from cli.shell.table import Table

_COLUMNS = ("method", "kind", "state", "value")


def methods(
    ctx: typer.Context,
    person: Annotated[str, typer.Argument(metavar="ID")],
    *,
    api: ApiUrl = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Show the contact methods of a person: your own in part, of others the kinds."""
    path = f"/v1/people/{quote(person, safe='')}/contact-methods"
    found = Api(api, token, desk_of(ctx).home).get(path, {})
    rows = [
        (
            each["method"],
            each["kind"],
            "verified" if each["verified"] else "not verified",
            each["value"] or "-",
        )
        for each in found["items"]
    ]
    empty = f"{person} has no contact method: nothing reaches them."
    answer(found, Table(_COLUMNS, rows, empty=empty))
