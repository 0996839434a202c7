"""A checkpoint as people write it, `300:5f3a…`, and in a file that runs renew."""

import json
import os
import re
from pathlib import Path

from services.projections.audit.walk import Checkpoint

_WRITTEN = re.compile(r"([1-9][0-9]{0,18}):([0-9a-f]{64})")


def parse_checkpoint(text: str) -> Checkpoint:
    """Return what `written` gave as text. Raises `ValueError` with a sentence."""
    found = _WRITTEN.fullmatch(text.strip().lower())
    if found is None:
        raise ValueError(
            "not a checkpoint: write the position and the hash of its event, as "
            "`permanence audit verify` said them, `300:5f3a…`"
        )
    return Checkpoint(int(found[1]), bytes.fromhex(found[2]))


def written(checkpoint: Checkpoint) -> str:
    """Return a checkpoint as text."""
    return f"{checkpoint.position}:{checkpoint.chain.hex()}"


def read_checkpoint(path: Path) -> Checkpoint | None:
    """Return the checkpoint in a file, None if there is no such file.

    Raises `ValueError` with a sentence if the file holds something else or cannot be
    read: verifying everything instead would hide that somebody changed it.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from error
    try:
        return parse_checkpoint(json.loads(text)["checkpoint"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{path} holds no checkpoint: name another file, or delete this one to "
            "verify from the first event"
        ) from error


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Put a checkpoint into a file in one step. Raises `OSError`."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("w", encoding="utf-8") as file:
            json.dump({"checkpoint": written(checkpoint)}, file)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
