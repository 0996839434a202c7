"""What `make up` shows: each process's lines behind its name, and where to go.

A terminal that is stopped (Ctrl-S), or a pipe nobody reads, must not stop the desk: a
thread of its own writes, and lines it cannot get rid of are dropped and counted.
"""

import os
import sys
from itertools import cycle
from queue import Full, Queue
from threading import Thread

from rich.console import Console
from rich.text import Text

_WIDTH = 11  # of the longest name, sla_watcher
_COLOURS = ("cyan", "green", "magenta", "yellow", "blue", "bright_cyan", "bright_green")
_LINES_WAITING = 10_000
_LAST_WORDS_SECONDS = 2.0


class Terminal:
    """Writes lines for a person. Call `close` in the end, to see the last of them."""

    def __init__(self) -> None:
        self._console = Console(soft_wrap=True, highlight=False)
        self._colours = cycle(_COLOURS)
        self._style: dict[str, str] = {}
        self._waiting: Queue[bytes | None] = Queue(_LINES_WAITING)
        self._dropped = 0
        self._writer = Thread(target=self._write, daemon=True, name="terminal")
        self._writer.start()

    @property
    def shows_to_a_person(self) -> bool:
        """Whether somebody sees it, and it is kept nowhere: no file, no pipe."""
        return sys.stdout.isatty()

    def line(self, name: str, text: str) -> None:
        """Write one line of the process `name`."""
        style = self._style.setdefault(name, "") or next(self._colours)
        self._style[name] = style
        # Text, not markup: what processes write is not ours.
        prefix = Text(f"{name:>{_WIDTH}} │ ", style=style)
        self._show(prefix + Text(text, style="default"))

    def say(self, text: str, style: str = "bold") -> None:
        """Write a line of our own."""
        self._show(Text(text, style=style))

    def close(self) -> None:
        """Wait a moment for what is still to be written."""
        try:
            self._waiting.put(None, timeout=_LAST_WORDS_SECONDS)
        except Full:
            return
        self._writer.join(_LAST_WORDS_SECONDS)

    def _show(self, text: Text) -> None:
        if self._dropped:
            text = Text(f"({self._dropped} lines are not shown)\n") + text
        with self._console.capture() as shown:
            self._console.print(text)
        try:
            self._waiting.put_nowait(shown.get().encode())
        except Full:
            self._dropped += 1
        else:
            self._dropped = 0

    def _write(self) -> None:
        stdout = sys.stdout.fileno()
        while (line := self._waiting.get()) is not None:
            try:
                while line:
                    line = line[os.write(stdout, line) :]
            except (
                OSError
            ):  # `make up | head`, a closed terminal: nobody looks any more
                continue
