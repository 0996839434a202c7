"""`permanence heartbeat`: the state of everything that has to report regularly.

Exit codes: 0 done, 3 the desk is not reachable.
"""

import typer
from rich.text import Text

from cli.shell.desk import log_of, remember
from cli.shell.output import AsJson, answer, plain_text, table_of
from services.intake.heartbeats.endpoints import shown
from services.intake.heartbeats.store import all_of
from services.intake.policy import store as policy_store

heartbeat = typer.Typer(
    callback=remember,
    help="Heartbeats: what has to report regularly.",
    no_args_is_help=True,
)


@heartbeat.command("list")
def list_(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List the heartbeats of the policy, and the state of each."""
    with log_of(ctx, as_json=as_json) as (log, _):
        now = policy_store.current(log)
        with log.transaction() as cursor:
            held = {each.name: each for each in all_of(cursor)}
    rules = now[1].heartbeats if now else {}
    items = [shown(name, rule, held.get(name)) for name, rule in rules.items()]
    table = table_of("name", "state", "last beat", "expected by", "every", "grace")
    for item in items:
        cells = (
            item["name"],
            item["state"],
            item["last_beat_at"] or "never",
            item["expected_by"] or "-",
            item["every"],
            item["grace"],
        )
        table.add_row(*(Text(plain_text(cell)) for cell in cells))
    human = table if items else "The policy has no heartbeats."
    answer(as_json, items, human)
