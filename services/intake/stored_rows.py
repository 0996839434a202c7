"""Rows of troubles to and from their stored form; what is held is sealed.

It is the last word of a source, which may tell of people: its key seals it.
"""

from collections.abc import Sequence
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError

from services.intake.pipeline.key_row import NO_LIFE, Held, KeyRow, Life
from shared.vault.vault import Vault

PLAIN = 10
"""How many columns hold a field each: those before `life`."""

_life = TypeAdapter(Life)
_held = TypeAdapter(Held)
_WAITS = "waits"


def columns_of(row: KeyRow, vault: Vault) -> Sequence[Any]:
    """Return the columns of a row; what plain troubles do not have is NULL."""
    if row.held is None and row.life is NO_LIFE:
        return (*row[:PLAIN], None, None, row.due_at)
    held = None
    life = _life.dump_python(row.life, mode="json", exclude_defaults=True)
    if row.held is not None:
        life[_WAITS] = row.held.code
        held = vault.seal(
            f"source:{row.source}", _held.dump_json(row.held), _place(row.signal_key)
        )
    return (*row[:PLAIN], orjson.dumps(life).decode() if life else None, held, row[-1])


def row_of(columns: Sequence[Any], vault: Vault) -> KeyRow:
    """Return the row of its columns."""
    life, held, due_at = columns[PLAIN:]
    row = KeyRow._make((*columns[:PLAIN], NO_LIFE, None, due_at))
    if life is None and held is None:
        return row
    return row._replace(
        life=_life_of(life),
        held=_opened(vault, held, row.signal_key) if held else None,
    )


def row_without_words(columns: Sequence[Any]) -> KeyRow:
    """Return the row of columns of which what is held cannot be opened."""
    life, _, due_at = columns[PLAIN:]
    row = KeyRow._make((*columns[:PLAIN], NO_LIFE, None, due_at))
    try:
        return row._replace(life=_life_of(life))
    except ValidationError:  # a later version knows more of it
        return row


def _life_of(written: dict[str, Any] | None) -> Life:
    fields = {name: value for name, value in (written or {}).items() if name != _WAITS}
    return _life.validate_python(fields, strict=False) if fields else NO_LIFE


def _opened(vault: Vault, held: str, key: str) -> Held | None:
    words = vault.open(held, _place(key))
    return None if words is None else _held.validate_json(words)


def _place(key: str) -> str:
    return f"held|{key}"
