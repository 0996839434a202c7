"""`permanence heartbeat`: the state of everything that has to report regularly."""

import typer

from cli.shell.desk import desk_of, remember
from cli.shell.output import AsJson, answer
from cli.shell.table import Table
from services.intake.heartbeats.endpoints import shown
from services.intake.heartbeats.store import all_of
from services.intake.policy import store as policy_store

app = typer.Typer()
heartbeat = typer.Typer(
    callback=remember,
    help="Heartbeats: what has to report regularly.\n\n"
    "Exit codes: 0 done, 3 the desk is not reachable.",
    no_args_is_help=True,
)
app.add_typer(heartbeat, name="heartbeat")


@heartbeat.command("list")
def list_(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List the heartbeats of the policy, and the state of each."""
    with desk_of(ctx).log() as log:
        now = policy_store.current(log)
        with log.transaction() as cursor:
            held = {each.name: each for each in all_of(cursor)}
    rules = now[1].heartbeats if now else {}
    items = [shown(name, rule, held.get(name)) for name, rule in rules.items()]
    rows = [
        (
            item["name"],
            item["state"],
            item["last_beat_at"] or "never",
            item["expected_by"] or "-",
            item["every"],
            item["grace"],
        )
        for item in items
    ]
    columns = ("name", "state", "last beat", "expected by", "every", "grace")
    answer(items, Table(columns, rows, empty="The policy has no heartbeats."))
