"""`permanence oncall why`: why somebody was paged for an incident, or was not."""

from typing import Annotated
from urllib.parse import quote

import typer

from cli.shell.api_client import Api, ApiUrl, Token
from cli.shell.desk import desk_of
from cli.shell.output import AsJson, answer


def why_command(  # noqa: PLR0913 # an option each
    ctx: typer.Context,
    incident: Annotated[str, typer.Argument(metavar="INCIDENT")],
    *,
    person: Annotated[str, typer.Option(help="About whom: yourself, or a colleague.")],
    at: Annotated[
        str | None, typer.Option(help="As known at this instant. Default: now.")
    ] = None,
    reason: Annotated[
        str | None,
        typer.Option(help="Why you ask about a colleague, who sees it."),
    ] = None,
    api: ApiUrl = None,
    token: Token = None,
    as_json: AsJson = False,  # it takes effect by itself
) -> None:
    """Explain why a person was paged for an incident, or was not, step by step.

    About yourself without a reason. A manager of a colleague's team, or an auditor,
    gives a reason, which the colleague sees; others learn only whether the colleague
    was on call. Exit codes: 0 done, 2 an option is wrong, or you may not, 3 the desk is
    not reachable.
    """
    path = f"/v1/incidents/{quote(incident, safe='')}/pages/why"
    given = {"person": person} | ({"at": at} if at else {})
    desk = Api(api, token, desk_of(ctx).home)
    if reason is None:
        found = desk.get(path, given)
    else:
        found = desk.post(path, given | {"reason": reason})
    answer(found, "\n".join(found["text"]))
