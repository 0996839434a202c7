"""The command line, `permanence`: assembles the commands of all groups.

A command is imported when it is called: importing all of them takes two seconds, and
tools call `permanence map` once for each body.
"""

import sys
from collections.abc import Callable, Mapping
from functools import cache

import typer

Add = Callable[[typer.Typer], object]
"""Imports a command or a group of commands, and adds it."""


def _up(app: typer.Typer) -> None:
    from cli.restored import epoch_at_start
    from standalone.bootstrap import bootstrap
    from standalone.cli import up_with

    app.command("up")(up_with(bootstrap, epoch_at_start))


def _down(app: typer.Typer) -> None:
    from standalone.cli import down

    app.command("down")(down)


def _demo(app: typer.Typer) -> None:
    from demo.play import demo

    app.command("demo")(demo)


def _doctor(app: typer.Typer) -> None:
    from standalone.cli import doctor

    app.command("doctor")(doctor)


def _migrate(app: typer.Typer) -> None:
    from cli.migrate import migrate_command

    app.command("migrate")(migrate_command)


def _provision(app: typer.Typer) -> None:
    from cli.provision import provision_command

    app.command("provision")(provision_command)


def _restored(app: typer.Typer) -> None:
    from cli.restored import restored_command

    app.command("restored")(restored_command)


def _config(app: typer.Typer) -> None:
    from cli.config import config

    app.add_typer(config, name="config")


def _map(app: typer.Typer) -> None:
    from cli.mapping import map_command

    app.command("map")(map_command)


def _remap(app: typer.Typer) -> None:
    from cli.remap import remap_command

    app.command("remap")(remap_command)


def _quarantine(app: typer.Typer) -> None:
    from cli.quarantine import quarantine

    app.add_typer(quarantine, name="quarantine")


def _people(app: typer.Typer) -> None:
    from cli.people import people

    app.add_typer(people, name="people")


def _heartbeat(app: typer.Typer) -> None:
    from cli.heartbeat import heartbeat

    app.add_typer(heartbeat, name="heartbeat")


def _token(app: typer.Typer) -> None:
    from cli.tokens import token

    app.add_typer(token, name="token")


def _vault(app: typer.Typer) -> None:
    from cli import rebuild
    from cli.vault import vault_with

    app.add_typer(vault_with(rebuild), name="vault")


def _parked(app: typer.Typer) -> None:
    from cli.parked import parked

    app.add_typer(parked, name="parked")


def _rebuild(app: typer.Typer) -> None:
    from cli.rebuild import rebuild_command

    app.command("rebuild")(rebuild_command)


def _replay(app: typer.Typer) -> None:
    from cli.replay import replay_command

    app.command("replay")(replay_command)


def _audit(app: typer.Typer) -> None:
    from cli.audit import audit

    app.add_typer(audit, name="audit")


def _sla(app: typer.Typer) -> None:
    from cli.sla import explain_command, sla
    from cli.sla_move import move_command, moved_command

    sla.command("explain")(explain_command)
    sla.command("move")(move_command)
    sla.command("moved")(moved_command)
    app.add_typer(sla, name="sla")


COMMANDS: Mapping[str, Add] = {
    "up": _up,
    "down": _down,
    "demo": _demo,
    "doctor": _doctor,
    "migrate": _migrate,
    "provision": _provision,
    "restored": _restored,
    "config": _config,
    "map": _map,
    "remap": _remap,
    "quarantine": _quarantine,
    "people": _people,
    "heartbeat": _heartbeat,
    "token": _token,
    "vault": _vault,
    "parked": _parked,
    "rebuild": _rebuild,
    "replay": _replay,
    "audit": _audit,
    "sla": _sla,
}


@cache
def command_line(*names: str) -> typer.Typer:
    """Return the command line with the commands of these names; without names, all."""
    app = typer.Typer(
        name="permanence",
        help="An event-sourced service desk: incidents owned until service is normal.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )
    app.callback()(_several_commands)
    for name in names or COMMANDS:
        COMMANDS[name](app)
    return app


def _several_commands() -> None:
    """Keep the name of a single command: typer would drop it."""


def main() -> None:
    """Run the command line; each command documents its exit codes."""
    called = [name for name in sys.argv[1:2] if name in COMMANDS]
    command_line(*called)()
