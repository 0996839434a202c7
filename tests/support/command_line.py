"""The command line in this process: what a command printed, and its exit code."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from typer.testing import CliRunner

from cli.app import command_line


class Ran(NamedTuple):
    """The outcome of a command."""

    code: int
    out: str
    err: str

    @property
    def plain(self) -> Any:
        """Its answer in JSON; an error is on standard error."""
        return json.loads(self.out or self.err)

    @property
    def items(self) -> list[Any]:
        """Its answer in JSON Lines."""
        return [json.loads(line) for line in self.out.splitlines()]


def permanence(
    *words: object, stdin: str | bytes | None = None, env: Mapping[str, str | None]
) -> Ran:
    """Run a command, which ends by itself or with an exit code."""
    done = CliRunner().invoke(
        command_line(), [str(word) for word in words], input=stdin, env=env
    )
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return Ran(done.exit_code, done.stdout, done.stderr)
