"""Writes docs/reference/events.md from the event classes."""

from collections.abc import Iterator
from inspect import getdoc
from pathlib import Path

from docs.generate.field_docs import field_docs
from docs.generate.forms import form
from shared.domain.events import EVENT_TYPES
from shared.domain.events.event import Event
from shared.domain.events.upcasters import newest
from shared.eventlog.codec import personal_fields

PAGE = Path(__file__).parents[1] / "reference" / "events.md"
COMMON = {"type", "incident", "policy", *Event.model_fields}

_HEAD = """\
*Reference* · [all pages](../index.md)

# Events

<!-- Written by `make docs` from shared/domain/events/; change that, not this page. -->

Everything that can be in the log.
An event is stored as JSON under its type, and published on `desk.event.<type>`.
A field that has no value is absent.
**Sealed** fields are personal: they are stored encrypted under the key of `whose`,
as `{"sealed": "v1.…"}`, and read `[forgotten]` once that key is destroyed.

Readers must ignore fields they do not know, for a later version may add some.
A type is never renamed and never given another meaning:
see [how to change an event](../how-to/change-an-event.md).

## In every event

| field | form | meaning |
|---|---|---|
| `type` | text | Its name, as in the headings below. |
| `at` | instant | When it was decided, by the writer's clock. |
| `by` | `person:nadia` | Who acted: a person, `source:…` or `system:…`, a service. |
| `whose` | `person:nadia` | Whose key seals its personal fields, if it has any. |
| `v` | whole number | The number of its shape; absent means 1. |

Events of an incident also have:

| field | form | meaning |
|---|---|---|
| `incident` | `INC-000042` | Its reference, which also names its stream. |
| `policy` | whole number | The version of the policy it was decided under. |

Its place in the log is not in the event but beside it:
`position`, `stream`, `version`, `recorded_at`, `command_id` and `chain`.
"""


def page() -> str:
    """Return the page as Markdown."""
    parts = [_HEAD]
    for type_, kind in sorted(EVENT_TYPES.items()):
        parts += _section(type_, kind)
    return "\n".join(parts) + "\n"


def _section(type_: str, kind: type[Event]) -> Iterator[str]:
    yield f"\n## {type_}\n"
    yield getdoc(kind) or ""
    if newest(type_) > 1:
        yield f"\nWritten in shape {newest(type_)}."
    if rows := list(_fields(kind)):
        yield "\n| field | form | | meaning |\n|---|---|---|---|"
        yield from rows


def _fields(kind: type[Event]) -> Iterator[str]:
    schema = kind.model_json_schema()
    docs, sealed = field_docs(kind), personal_fields(kind)
    for name, field in kind.model_fields.items():
        if name in COMMON:
            continue
        shape = form(schema["properties"][name], schema.get("$defs", {}))
        marks = ["sealed"] if name in sealed else []
        marks += ["may be absent"] if field.get_default() is None else []
        yield f"| `{name}` | {shape} | {', '.join(marks)} | {docs.get(name, '')} |"
