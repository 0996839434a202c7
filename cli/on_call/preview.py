"""`permanence oncall preview`: who would be told when, by what, if an incident came."""

from typing import Annotated

import typer
from pydantic import ValidationError

from cli.shell.desk import desk_of
from cli.shell.local_time import shown_in
from cli.shell.output import AsJson, Exit, answer, plain_text, refused
from cli.shell.table import Table
from services.escalation.previews.queries import EscalationPreviews
from services.projections.log_queries import desk_zone
from shared.domain.commands.escalation_preview import (
    EscalationPreview,
    PreviewEscalation,
    PreviewEvent,
    StepLeftOut,
)
from shared.http.problem_details import HttpError
from shared.i18n.catalog import ENGLISH, text_of


def preview_command(
    ctx: typer.Context,
    service: Annotated[str, typer.Option(help="The service that is affected.")],
    priority: Annotated[str, typer.Option(help="P1, P2, P3 or P4.")] = "p1",
    team: Annotated[
        str | None, typer.Option(help="The team it is assigned to at once.")
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(help="When it comes, such as 2030-01-09T22:00:00Z. Default: now."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show who would be told when, if an incident came and nobody answered.

    The rules of the desk run forward under the policy in force; nothing is recorded.
    The desk's own receiver of pages is not listed: the API lists it.

    Exit codes: 0 shown, 2 the policy has no such service or team, 3 the desk is not
    reachable.
    """
    question = _question(service, priority, team, at)
    with desk_of(ctx).log_and_clock() as (log, clock):
        try:
            found = EscalationPreviews(log, clock).of(question)
            with log.transaction() as cursor:
                shown_in(desk_zone(log, cursor))
        except HttpError as error:
            raise refused(error.details.detail or "", Exit.INVALID) from error
    rows = [_row(each, found) for each in found.items]
    left_out = [
        f"Step {each.step} of {each.level.upper()} pages nobody: {_why_left_out(each)}."
        for each in found.left_out
    ]
    columns = ("after", "at", "level", "what", "people", "by", "why")
    table = Table(columns, rows, empty="Nobody would be paged.")
    answer(found.model_dump(mode="json"), table, *left_out)


def _why_left_out(step: StepLeftOut) -> str:
    return text_of(ENGLISH, "page.preview.why", step.why)


def _question(
    service: str, priority: str, team: str | None, at: str | None
) -> PreviewEscalation:
    try:
        return PreviewEscalation.model_validate(
            {"service": service, "priority": priority.lower(), "team": team, "at": at}
        )
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        sentence = f"--{first['loc'][0]}: {first['msg']}"
        raise refused(sentence, Exit.INVALID) from error


def _row(event: PreviewEvent, found: EscalationPreview) -> tuple[object, ...]:
    after = int((event.at - found.at).total_seconds()) // 60
    ways = {text_of(ENGLISH, "timeline.kind", each.channel) for each in event.sent}
    return (
        f"{after} min",
        event.at,
        event.level.upper(),
        text_of(ENGLISH, "page.preview", event.kind),
        ", ".join(event.people),
        ", ".join(sorted(ways)),
        _why(event),
    )


def _why(event: PreviewEvent) -> str:
    parts = [
        f"step {event.step}, try {event.loop}" if event.step else "",
        f"asks for {text_of(ENGLISH, 'timeline.whom', event.who)}" if event.who else "",
        event.schedule or event.asks_for_team or event.team_channel or "",
        text_of(ENGLISH, "timeline.cause", event.cause) if event.cause else "",
        "nobody on call" if event.nobody_on_call else "",
        f"held since {plain_text(event.held_since)}" if event.held_since else "",
        f"out of hours: {', '.join(event.out_of_hours)}" if event.out_of_hours else "",
    ]
    return ", ".join(part for part in parts if part)
