"""Writes docs/reference/policy.md from the models: `python -m docs.generate.policy`."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from shared.domain.policy.document import json_schema
from shared.domain.policy.escalation import MARK

PAGE = Path(__file__).parents[1] / "reference" / "policy.md"

_HEAD = """\
*Reference* · [all pages](../index.md)

# permanence.yaml

<!-- Written by `make docs`; change the models, not this page. -->

The desk's policy: what it has promised, to whom, and who answers. Check it with
`permanence config check FILE`, see what it would change with `config diff`, put it in
force with `config apply FILE --reason "…" --approved-by ID`. `config schema` prints a
JSON schema for editors. A small example is `deploy/permanence.yaml`.

* What is applied is kept for ever, named by an event; its number is the policy version
  an incident is promised under. So no e-mail address, telephone number or secret may
  stand in it: people are ids (`permanence people import`), secrets `env:NAME` or
  `file:PATH`.
* A file has at most 16 MB, and so has the document that is applied; a calendar has at
  most 20,000 closed days. Thousands of services are not a problem: nothing that happens
  to an incident takes longer for them.
* YAML 1.2: an unquoted `18:00` is text. A key given twice, a tag, an anchor is refused.
* Durations in h, m and s, never days. Times of day are local to the zone beside them.
* Public holidays and the events of iCalendar files become dates when a policy is
  applied, from the year before to five years after; apply the same file again to have
  later ones. [How calendars go together](../how-to/coverage-calendars.md).
* What is marked "To come" may be written already. Nothing acts on it yet, and
  `config check` and `config apply` warn of it.
"""

Schema = Mapping[str, Any]


def page() -> str:
    """Return the page as Markdown."""
    schema = json_schema()
    parts = [_HEAD, *_section("The document", schema)]
    for name, part in schema["$defs"].items():
        parts += _section(name, part)
    return "\n".join(parts)


def _section(name: str, part: Schema) -> Iterator[str]:
    yield f"\n## {name}\n\n{part['description']}\n"
    yield "| field | form | if left out | meaning |\n|---|---|---|---|"
    for field, schema in part["properties"].items():
        is_needed = field in part.get("required", ())
        left_out = "must be there" if is_needed else _default(schema)
        to_come = "**To come: kept, and does nothing yet.**" if MARK in schema else ""
        meaning = " ".join(f"{to_come} {schema.get('description', '')}".split())
        yield f"| `{field}` | {_form(schema)} | {left_out} | {meaning} |"


def _default(schema: Schema) -> str:
    default = schema.get("default")
    if default is None or isinstance(default, dict):
        return "" if default else "none"
    return f"`{default if isinstance(default, str) else json.dumps(default)}`"


def _form(schema: Schema) -> str:
    match schema:
        case {"examples": words}:
            return " or ".join(f"`{word}`" for word in words)
        case {"enum": words}:
            return ", ".join(f"`{word}`" for word in words)
        case {"const": word}:
            return f"`{word}`"
        case {"type": "integer"}:
            return "whole number"
        case _:
            return _composed(schema)


def _composed(schema: Schema) -> str:
    match schema:
        case {"$ref": target}:
            return _link(target)
        case {"anyOf": choices} | {"oneOf": choices}:
            return " or ".join(_form(c) for c in choices if c.get("type") != "null")
        case {"items": items}:
            return f"list of {_form(items)}"
        case {"patternProperties": by_name}:
            return f"by name: {_form(next(iter(by_name.values())))}"
        case {"additionalProperties": values, "propertyNames": names}:
            return f"by {_form(names)}: {_form(values)}"
        case _:
            return "text"


def _link(target: str) -> str:
    name = target.rpartition("/")[2]
    return f"[{name}](#{name.lower()})"


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
