"""The command line, `permanence`: puts together what each part of the house offers."""

import typer

from services.bootstrap import bootstrap
from services.demo.cli import demo
from services.intake.cli_access import token, vault
from services.intake.cli_bus import provision_command
from services.intake.cli_config import config
from services.intake.cli_map import map_command
from services.intake.cli_people import people
from services.intake.cli_quarantine import quarantine
from services.intake.cli_remap import remap_command
from services.intake.cli_restored import epoch_at_start, restored_command
from services.intake.heartbeats.cli import heartbeat
from services.projections.cli_audit import audit
from services.projections.cli_explain import explain_command
from services.projections.cli_parked import parked
from services.projections.cli_rebuild import rebuild_command
from services.projections.cli_replay import replay_command
from services.sla_watcher.cli_move import move_command, moved_command
from services.sla_watcher.cli_sla import sla
from shared.machine import cli as machine
from shared.migrate_cli import migrate_command

app = typer.Typer(
    name="permanence",
    help="An event-sourced service desk: incidents owned until service is normal.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command("up")(machine.up_with(bootstrap, epoch_at_start))
app.command("down")(machine.down)
app.command("demo")(demo)
app.command("doctor")(machine.doctor)
app.command("migrate")(migrate_command)
app.command("provision")(provision_command)
app.command("restored")(restored_command)
app.add_typer(config, name="config")
app.command("map")(map_command)
app.command("remap")(remap_command)
app.add_typer(quarantine, name="quarantine")
app.add_typer(people, name="people")
app.add_typer(heartbeat, name="heartbeat")
app.add_typer(token, name="token")
app.add_typer(vault, name="vault")
app.add_typer(parked, name="parked")
app.command("rebuild")(rebuild_command)
app.command("replay")(replay_command)
app.add_typer(audit, name="audit")
sla.command("explain")(explain_command)
sla.command("move")(move_command)
sla.command("moved")(moved_command)
app.add_typer(sla, name="sla")


def main() -> None:
    """Run the command line; each command documents its exit codes."""
    app()


if __name__ == "__main__":
    main()
