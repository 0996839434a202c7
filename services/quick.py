"""The front door of the command line: `map` starts without all that it does not need.

Tools ask it once a body. What everything else imports takes a second or two.
"""

import sys

import typer


def main() -> None:
    """Run `permanence`."""
    if sys.argv[1:2] == ["map"]:
        _map(sys.argv[2:])
    else:
        from services.__main__ import (
            main as whole,
        )

        whole()


def _map(words: list[str]) -> None:
    from services.intake.cli_map import map_command

    alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    alone.command()(map_command)
    alone(words, prog_name="permanence map")
