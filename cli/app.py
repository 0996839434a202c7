"""The command line, `permanence`: assembles the commands of all groups.

A command is imported when it is called: importing all of them takes two seconds, and
tools call `permanence map` once for each body.
"""

import sys
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Annotated

import typer

from cli.shell.help_text import command_of
from cli.shell.local_time import in_utc, zone_of_reader
from cli.shell.output import Exit, in_json, refused
from shared.mistake import DamagedFile

MODULES: Mapping[str, str] = {
    "up": "cli.machine",
    "down": "cli.machine",
    "demo": "cli.machine",
    "doctor": "cli.machine",
    "migrate": "cli.migrate",
    "provision": "cli.provision",
    "restored": "cli.restored",
    "config": "cli.config",
    "map": "cli.mapping",
    "remap": "cli.remap",
    "quarantine": "cli.quarantine",
    "people": "cli.people",
    "heartbeat": "cli.heartbeat",
    "token": "cli.tokens",
    "session": "cli.sign_in.sessions",
    "sign-in-link": "cli.sign_in.links",
    "break-glass": "cli.sign_in.break_glass",
    "vault": "cli.vault",
    "parked": "cli.parked",
    "rebuild": "cli.rebuild",
    "replay": "cli.replay",
    "audit": "cli.audit",
    "sla": "cli.sla",
    "oncall": "cli.on_call.commands",
    "surveys": "cli.surveys.commands",
}
"""The module whose `app` has a command or a group of commands."""


Utc = Annotated[
    bool,
    typer.Option(
        "--utc",
        help="Show times in UTC, not in your own time zone; JSON has them in UTC.",
    ),
]


@cache
def command_line(*names: str) -> typer.Typer:
    """Return the command line with the commands of these names; without names, all."""
    app = typer.Typer(
        name="permanence",
        help="An event-sourced service desk: incidents owned until service is back to "
        "normal.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )
    app.callback()(begin)
    for module in dict.fromkeys(MODULES[name] for name in names or MODULES):
        app.add_typer(import_module(module).app)
    return app


def begin(*, utc: Utc = False) -> None:
    """Begin a command: it answers people, unless it has `--json`."""
    in_json.set(False)
    in_utc.set(utc)
    zone_of_reader.set(None)


def main() -> None:
    """Run the command line; each command documents its exit codes."""
    words = [word for word in sys.argv[1:] if word != "--utc"]
    called = [name for name in words[:1] if name in MODULES]
    try:
        command_of(command_line(*called))()
    except DamagedFile as error:
        sys.exit(refused(str(error), Exit.INVALID).exit_code)
