"""The command line, `permanence`: puts together what each part of the house offers."""

import typer

from services.bootstrap import bootstrap
from shared.machine import cli as machine
from shared.migrate_cli import migrate_command

app = typer.Typer(
    name="permanence",
    help="An event-sourced service desk: incidents owned until service is normal.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command("up")(machine.up_with(bootstrap))
app.command("down")(machine.down)
app.command("doctor")(machine.doctor)
app.command("migrate")(migrate_command)


def main() -> None:
    """Run the command line; each command documents its exit codes."""
    app()


if __name__ == "__main__":
    main()
