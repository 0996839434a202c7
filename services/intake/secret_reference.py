"""Reads a secret that a document names as `env:NAME` or `file:PATH`."""

from collections.abc import Mapping
from pathlib import Path

FILE_BYTES_MAX = 32 * 1024


class NoSecret(Exception):
    """The secret is missing; the message does not reveal it."""


def secret_of(reference: str, environment: Mapping[str, str]) -> str:
    """Return the secret in `env:NAME` or `file:PATH`. Raises `NoSecret`."""
    kind, _, name = reference.partition(":")
    if kind == "env":
        held = environment.get(name, "")
        if not held.strip():
            raise NoSecret(f"the environment of intake has no {name}: set it")
        return held.strip()
    try:
        with Path(name).open("rb") as file:
            return file.read(FILE_BYTES_MAX).decode().strip()
    except (OSError, ValueError) as error:
        raise NoSecret(f"intake cannot read {name}: put the secret there") from error
