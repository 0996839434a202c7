"""Writes tests/golden/read_models.json: the digest of each shape of each read model.

A digest covers the statements that create the tables, and the rows that follow from the
example events in tests/golden/events. The digest of a new shape is added; one that is
there never changes.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from services.projections.generations import ReadModel
from services.projections.metrics import store as metrics_store
from services.projections.metrics import tables as metrics_tables
from services.projections.queue import store as queue_store
from services.projections.read_models import MODELS
from services.projections.words import store as words_store
from shared.domain.events import AnyEvent, events
from shared.domain.events.upcasters import upcast
from shared.eventlog.entry import Entry
from shared.vault.master_keys import KEY_BYTES, MasterKeys
from shared.vault.vault import Vault
from tests.support.key_ring import KeyRing

_GOLDEN = Path(__file__).parents[2] / "tests" / "golden"
PAGE = _GOLDEN / "read_models.json"
_START = datetime(2025, 6, 30, 14, tzinfo=UTC)
_STORED: Mapping[str, Callable[[Any], Sequence[object]]] = {
    "queue": lambda row: [queue_store.columns(row)],
    "timeline": list,
    "metrics": lambda state: [
        metrics_store.columns(state)[1].obj,
        *metrics_tables.rows(state, {}),
    ],
    "words": lambda rows: [words_store.columns(row) for row in rows.values()],
}
_GENERIC = {
    "timeline": {"incident.opened.1", "sla.armed.1", "notification.sent.1"},
    "words": {
        *("incident.opened.1", "incident.contacted.1", "incident.edited.1"),
        *("incident.classified.1", "incident.assigned.1", "incident.closed.1"),
        *("incident.solution_noted.1", "escalation.accepted.1"),
        *("problem.identified.1", "problem.resolved.1"),
        *("change.requested.1", "change.cancelled.1"),
    },
}
"""Enough examples for a read model that treats all events alike."""
_OPENINGS = {
    "incident": "incident.opened",
    "problem": "problem.identified",
    "change": "change.requested",
}
_BEFORE = {"survey.answered": "survey.invited.1"}
"""What comes before an event whose stream does not begin with an opening."""
_STREAMS = {"notification": "escalation", "promises": "sla"}
"""The streams that are named otherwise than their events."""

_VAULT = Vault(KeyRing(), MasterKeys([bytes(KEY_BYTES)]))
"""Rows with keyed hashes are always made with this key here."""


def _example(file: Path) -> AnyEvent:
    document = json.loads(file.read_text(encoding="utf-8"))
    return events.validate_python(upcast(document["type"], document))


_EXAMPLES = {
    file.stem: _example(file) for file in sorted((_GOLDEN / "events").glob("*.json"))
}


def _entry(position: int, event: AnyEvent) -> Entry:
    kind = event.type.partition(".")[0]
    record = kind if kind in _OPENINGS else "incident"
    stream = f"{_STREAMS.get(kind, kind)}-{getattr(event, record, 'desk')}"
    return Entry(position, stream, position, event.type, _START, None, event)


def _rows(model: ReadModel[Any], history: Iterable[AnyEvent]) -> str:
    state = None
    for position, event in enumerate(history, start=1):
        state = model.step(state, _entry(position, event))
    return "" if state is None else repr(_STORED[model.name](state))


def _meanings(model: ReadModel[Any]) -> dict[str, str]:
    """Return the rows after each example that changes more than a position."""
    openings = {kind: _EXAMPLES[f"{type_}.1"] for kind, type_ in _OPENINGS.items()}
    nothing = _EXAMPLES["incident.source_noted.1"]
    same = {_rows(model, [openings["incident"], nothing])}
    same |= {_rows(model, [opening]) for opening in openings.values()}
    found: dict[str, str] = {}
    for name, event in sorted(_EXAMPLES.items()):
        opening = openings.get(event.type.partition(".")[0], openings["incident"])
        if event.type in _BEFORE:
            opening = _EXAMPLES[_BEFORE[event.type]]
        is_opening = event.type in _OPENINGS.values()
        rows = _rows(model, [event] if is_opening else [opening, event])
        if is_opening or rows not in same:
            found[name] = rows
    return {k: found[k] for k in _GENERIC.get(model.name, found)}


def digest(model: ReadModel[Any]) -> str:
    """Return a digest of the tables of a read model and of what events mean for it."""
    model = model.bound(_VAULT)
    statements = (*model.tables("schema"), *model.indexes("schema"))
    # A new type of event makes no difference to a model that treats all alike.
    opens = [] if model.name in _GENERIC else sorted(model.opens)
    parts = (*statements, opens, sorted(_meanings(model).items()))
    return sha256("\n".join(map(str, parts)).encode()).hexdigest()[:16]


def page() -> str:
    """Return the page."""
    known = json.loads(PAGE.read_text(encoding="utf-8"))
    for model in MODELS.values():
        known.setdefault(model.name, {}).setdefault(str(model.shape), digest(model))
    return json.dumps(known, indent=1) + "\n"
