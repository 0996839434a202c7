"""Writes docs/reference/api.md: the requests of the read API, in a table."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from docs.generate.forms import form
from docs.generate.openapi import described

PAGE = Path(__file__).parents[1] / "reference" / "api.md"

_HEAD = """\
*Reference* · [all pages](../index.md)

# The read API

<!-- Written by `make docs` from services/projections/api/; change that, not this page. -->

For people and their tools; with `make up` at `http://127.0.0.1:8080`.
Whole and for programs it is in [openapi.json](openapi.json), and at `/docs` of a running desk.

* Every request has `Authorization: Bearer <token>`.
* Every answer says in `as_of` what it knows: position and instant.
  `?min_position=` waits until it knows that position, at most 5 s; then 503, ask again.
* `?at=<instant>`, on an incident and its timeline, answers as of then.
* Pages of a queue have a `next_cursor`: give it as `cursor`, with the same filters. Those of a timeline or the log have
  `next_after`: give it as `after`. null is the end.
* `q` on a queue finds all its words, in any order and each from its beginning, without case and accents: of title, reference, service,
  labels and people. People are found by name for whom may look them up (`GET /v1/people`), else by id.
* Lists and metrics are CSV with `format=csv` or `Accept: text/csv`: a line an item, a column a field, `Link` with `rel="next"` for the
  page after. Text that a spreadsheet would take for a formula begins with `'`. `format=jsonl` or `Accept: application/jsonl`: each item as a line of JSON.
* A command answers with `outcome` (`recorded`, `already`, `repeated`), the incident, its version after it, and the positions of its events.
  `Idempotency-Key` makes it safe to repeat; the same key with another body is 422.
  `If-Match: "<version>"` refuses it with 412 where the incident has moved on.
* Errors are `application/problem+json` (RFC 9457): `title`, `status`, `detail` (what to do), `code`, `errors[{loc, msg, type}]`.
* `GET /v1/stream` is server-sent events: `id` is the position, so `Last-Event-ID` (or `?after=`) goes on where a client was. It holds no personal words.
  It ends when its token is revoked or the service stops; more than 100 at once are told 429.
* `/`, `/load` and `/incidents/{ref}` are pages for a browser, which keeps the token in a cookie that only they and the stream take.
* Signals may be sent here too, and are passed on to intake: see [signals](signals.md).
"""  # noqa: E501 one sentence, one line

Schema = Mapping[str, Any]


def page() -> str:
    """Return the page as Markdown."""
    document = described()
    tags: dict[str, list[str]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            row = _row(f"{method.upper()} {path}", operation, document)
            tags.setdefault(operation.get("tags", ["other"])[0], []).append(row)
    return _HEAD + "".join(_table(tag, rows) for tag, rows in tags.items())


def _table(tag: str, rows: list[str]) -> str:
    head = (
        f"\n## {tag.capitalize()}\n\n| request | what it does | with |\n|---|---|---|\n"
    )
    return head + "\n".join(rows) + "\n"


def _row(request: str, operation: Schema, document: Schema) -> str:
    said = operation.get("description") or operation.get("summary") or ""
    what = " ".join(said.split())
    return f"| `{request}` | {what} | {'<br>'.join(_given(operation, document))} |"


def _given(operation: Schema, document: Schema) -> Iterator[str]:
    parameters = operation.get("parameters", ())
    asked = [f"`{each['name']}`" for each in parameters if each["in"] == "query"]
    if asked:
        yield ", ".join(asked)
    content = operation.get("requestBody", {}).get("content", {})
    schema = content.get("application/json", {}).get("schema")
    if schema:
        yield from _body(schema, document)


def _body(schema: Schema, document: Schema) -> Iterator[str]:
    schemas = document["components"]["schemas"]
    body = schemas[schema["$ref"].rpartition("/")[2]]
    for name, field in body.get("properties", {}).items():
        needed = " (needed)" if name in body.get("required", ()) else ""
        yield f"`{name}`: {form(field, schemas)}{needed}"
