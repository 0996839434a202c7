"""The console blocks of a page, run in order in one shell, with what they must print.

A block that is to be run is fenced as "console run": `$ ` begins a command, which goes
on while a quote is open or a line ends with a backslash; the lines after it are what it
prints. In these, `…` stands for anything: alone on a line for any lines, within one for
any characters. "console run until" is for what the desk does by itself a moment later:
such a command is repeated until it prints that.
"""

import re
import shlex
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.patience import SECONDS

_BLOCK = re.compile(r"^```console run( until)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PROMPT = "$ "
_END = "-- end of a command --"
COMMAND_SECONDS_MAX = UNTIL_SECONDS_MAX = SECONDS
_STATUS_LEFT_BY_TIMEOUT = 124


@dataclass(frozen=True)
class Step:
    """A command of a page and what it prints; empty where the page does not show it."""

    command: str
    printed: str
    until: bool = False
    """It may print something else at first."""

    def is_matched_by(self, output: str) -> bool:
        """Tell whether `output` is what the page shows."""
        return not self.printed or bool(re.fullmatch(_pattern(self.printed), output))


def _pattern(printed: str) -> str:
    """Return the expression of what `…` leaves open; line ends at the end are not."""
    lines = [_line(line) for line in printed.splitlines()]
    return "".join(lines).removesuffix("\\n") + r"\s*"


def _line(line: str) -> str:
    if line.strip() == "…":
        return r"(?:.*\n)*?"
    return ".*?".join(map(re.escape, line.rstrip().split("…"))) + r"[ ]*\n"


def steps(page: str) -> Iterator[Step]:
    """Return the steps of a page's blocks, in order."""
    for until, block in _BLOCK.findall(page):
        command: list[str] = []
        printed: list[str] = []
        for line in block.splitlines():
            if command and _goes_on("\n".join(command)):
                command.append(line)
            elif line.startswith(_PROMPT):
                yield from _step(command, printed, until)
                command, printed = [line.removeprefix(_PROMPT)], []
            else:
                printed.append(line)
        yield from _step(command, printed, until)


def _goes_on(command: str) -> bool:
    try:
        shlex.split(command)
    except ValueError:  # a quote is open, or an escape
        return True
    return False


def _step(command: list[str], printed: list[str], until: str) -> Iterator[Step]:
    if command:
        yield Step("\n".join(command), "\n".join(printed).rstrip(), bool(until))


@dataclass(frozen=True)
class Ran:
    """The outcome of a command: all it printed, and its exit code."""

    output: str
    code: int


class Shell:
    """A bash in which commands run one after the other, as a reader would type them."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._bash = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._bash.stdin
        assert self._bash.stdout
        self._bash.stdin.close()
        self._bash.stdout.close()
        self._bash.wait(timeout=COMMAND_SECONDS_MAX)

    def run(self, command: str) -> Ran:
        """Run a command and wait for its end."""
        assert self._bash.stdin
        assert self._bash.stdout
        self._bash.stdin.write(f"{command}\nprintf '\\n%s %s\\n' '{_END}' $?\n")
        self._bash.stdin.flush()
        deadline = time.monotonic() + COMMAND_SECONDS_MAX
        lines: list[str] = []
        for line in self._bash.stdout:
            if line.startswith(_END):
                return Ran("".join(lines).strip("\n"), int(line.split()[-1]))
            lines.append(line)
            assert time.monotonic() < deadline, f"{command} does not end"
        return Ran("".join(lines), _STATUS_LEFT_BY_TIMEOUT)


def walk(page: str, shell: Shell, instead: Mapping[str, str]) -> None:
    """Do what a page says, with `instead` of its words; fail where it is not so."""
    for step in steps(_replaced(page, instead)):
        ran = _ran(step, shell)
        said = f"$ {step.command}\n{ran.output}\n(exit code {ran.code})"
        assert ran.code == 0, said
        assert step.is_matched_by(ran.output + "\n"), f"{said}\nnot\n{step.printed}"


def _ran(step: Step, shell: Shell) -> Ran:
    """Run a step; again for a while where it may still print something else."""
    deadline = time.monotonic() + (UNTIL_SECONDS_MAX if step.until else 0)
    while True:
        ran = shell.run(step.command)
        done = ran.code == 0 and step.is_matched_by(ran.output + "\n")
        if done or time.monotonic() >= deadline:
            return ran


def _replaced(page: str, instead: Mapping[str, str]) -> str:
    for theirs, ours in instead.items():
        page = page.replace(theirs, ours)
    return page
