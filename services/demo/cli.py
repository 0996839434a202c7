"""`permanence demo`: a day at a service desk, played through in some minutes."""

import sys
from logging import WARNING
from pathlib import Path
from typing import Annotated

import structlog
import typer
from rich.console import Console
from rich.markup import escape

from services.demo.playing import Failed, play
from standalone.startup_error import StartupError

HOME = Path(".permanence/demo")


def demo(
    home: Annotated[
        Path,
        typer.Option(help="Where the demo keeps its data; created afresh each time."),
    ] = HOME,
    leave: Annotated[
        bool, typer.Option(help="End when the day is over, also on a terminal.")
    ] = False,
) -> None:
    """Play Monday 30 June 2025 at the desk of Valmont, and assert what must be seen.

    Real servers and services under a clock of their own, in a folder of their own. On a
    terminal the desk then stays up to be looked at, until Ctrl-C. Exit codes: 0 all was
    seen, 1 a beat failed (it says which), others as of `up`.
    """
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(WARNING))
    console = Console(highlight=False)
    stay = sys.stdout.isatty() and not leave
    try:
        play(home, console, stay=stay)
    except Failed as failed:
        console.print(f"[red]{escape(str(failed))}[/]", soft_wrap=True)
        console.print(f"What the services said: {home / 'demo.log'}")
        raise typer.Exit(1) from None
    except StartupError as trouble:
        console.print(f"[red]{escape(str(trouble))}[/]", soft_wrap=True)
        raise typer.Exit(trouble.code) from None
    except KeyboardInterrupt:
        console.print("Stopped.")
