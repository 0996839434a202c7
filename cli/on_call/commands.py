"""`permanence oncall`: tries out schedules without a desk, reads or changes one's."""

from typing import Annotated

import typer

from cli.on_call import changes
from cli.on_call.history import history_command, statement_command
from cli.on_call.page_reasons import why_command
from cli.on_call.page_test import page_test_command
from cli.on_call.preview import preview_command
from cli.on_call.readiness import readiness_command
from cli.on_call.shift_import import import_command
from cli.shell.desk import remember
from cli.shell.json_lines import answer_lines
from services.escalation.dry_run import coverage_answer, shifts_answer, who_answer

app = typer.Typer()
oncall = typer.Typer(
    callback=remember,
    help="On-call schedules and escalation policies: try them out, see and change who "
    "is on call, or was.\n\n"
    "Exit codes: 0 done, 2 an option or a line is wrong, or you may not, 3 the desk is "
    "not reachable.",
    no_args_is_help=True,
)
oncall.add_typer(changes.app)
app.add_typer(oncall, name="oncall")
oncall.command("history")(history_command)
oncall.command("statement")(statement_command)
oncall.command("preview")(preview_command)
oncall.command("page-test")(page_test_command)
oncall.command("readiness")(readiness_command)
oncall.command("why")(why_command)
oncall.command("import")(import_command)


@oncall.command("shifts")
def shifts_command(
    *,
    coverage: Annotated[
        bool,
        typer.Option(
            "--coverage", help="Also answer `gaps` (nobody) and `overlaps` (several)."
        ),
    ] = False,
) -> None:
    """Compute the shifts of a schedule: one JSON object per line in, one per line out.

    In: `{"timezone", "rotation": {"type": "hourly|daily|weekly|monthly",
    "shift_length", "start", "participants": [...], "by_day"?,
    "shift_duration_hours"?, "week_start"?, "rotation_start"?, "until"?},
    "overrides": [{"type": "add|replace|remove", "add"?, "remove"?, "start", "end"}],
    "from", "to"}`; instead of `rotation` also `layers`, as in a policy; also
    `absences`: `[{"person", "start", "end"}]`, and `temporary_schedules`:
    `[{"start", "end", "shifts": [{"who": [...], "start", "end"}]}]`. A list among
    the participants is people who are on call together.

    Out: `{"shifts": [{"from", "to", "who": [...]}]}` in UTC: those that overlap
    [from, to), each from its beginning to its end; `{"error"}` for a line that is
    wrong. Exit codes: 0 all answered, 2 a line was wrong.
    """
    answer_lines(coverage_answer if coverage else shifts_answer)


@oncall.command("who")
def who_command() -> None:
    """Compute who is on call at an instant: one JSON object per line in, one out.

    In: as for `shifts`, with `"at"` instead of `from` and `to`. Out: `{"who": [...]}`,
    empty in a gap; `{"error"}` for a line that is wrong. Exit codes: 0 all answered, 2
    a line was wrong.
    """
    answer_lines(who_answer)
