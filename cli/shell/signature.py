"""Who does something for good, and why: it is kept in the log."""

import getpass
from collections.abc import Mapping
from typing import Annotated

import typer
from pydantic import ValidationError

from cli.shell.output import refused_for
from services.intake.policy.store import Signature
from shared.domain.policy.validation import explained
from shared.mistake import Mistake

By = Annotated[str | None, typer.Option(help="Your id; else your login name.")]
Why = Annotated[str, typer.Option(help="Why, for who reads the log later.")]


def signature_in(
    command: str,
    options: Mapping[str, str],
    by: str | None,
    reason: str,
    approved_by: str | None = None,
) -> Signature:
    """Return who does this and why; `options` names the option of each field."""
    try:
        return Signature(by=by or _login(), reason=reason, approved_by=approved_by)
    except ValidationError as error:
        mistakes = [
            Mistake(options[str(each["loc"][0])], None, explained(each, Signature))
            for each in error.errors(include_url=False, include_input=False)
        ]
        raise refused_for(command, mistakes) from error


def _login() -> str:
    """Return the user of this machine, "" without an account, as in a container."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""
