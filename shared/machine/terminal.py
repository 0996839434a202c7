"""What `make up` shows: each process's lines behind its name, and where to go."""

import os
import sys
from contextlib import suppress
from itertools import cycle

from rich.console import Console
from rich.text import Text

_WIDTH = 11  # of the longest name, sla_watcher
_COLOURS = ("cyan", "green", "magenta", "yellow", "blue", "bright_cyan", "bright_green")


class Terminal:
    """Writes lines for a person; goes silent, not down, when nobody reads any more."""

    def __init__(self) -> None:
        self._console = Console(soft_wrap=True, highlight=False)
        self._colours = cycle(_COLOURS)
        self._style: dict[str, str] = {}
        self._open = True

    def line(self, name: str, text: str) -> None:
        """Write one line of the process `name`."""
        style = self._style.setdefault(name, "") or next(self._colours)
        self._style[name] = style
        # Text, not markup: what processes write is not ours.
        prefix = Text(f"{name:>{_WIDTH}} │ ", style=style)
        self._print(prefix + Text(text, style="default"))

    def say(self, text: str, style: str = "bold") -> None:
        """Write a line of our own."""
        self._print(Text(text, style=style))

    def _print(self, text: Text) -> None:
        if not self._open:
            return
        with self._console.capture() as shown:  # else rich exits on a broken pipe
            self._console.print(text)
        try:
            sys.stdout.write(shown.get())
            sys.stdout.flush()
        except OSError:  # `make up | head`, a closed terminal, a full disk
            self._open = False
            with suppress(OSError):  # else Python complains once more at its end
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
