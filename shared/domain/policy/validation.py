"""Reads `permanence.yaml` into a policy, or returns all its mistakes with their lines.

The messages say what to do and never quote a value, which may be a secret written in
the wrong place.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from typing import Any

import orjson
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from shared import yaml12
from shared.domain.policy.calendars import REGION
from shared.domain.policy.clause import LANGUAGE, NAME, PERSON
from shared.domain.policy.cross_checks import (
    dangling,
    everything,
    missing_texts,
    taken_names,
    unknown_to_the_world,
    unmappable,
)
from shared.domain.policy.document import Policy
from shared.domain.policy.escalation import too_many_pages
from shared.domain.policy.local_times import ZONE
from shared.domain.policy.mappings import LABEL, WHAT
from shared.domain.policy.reviews import review_mistakes
from shared.domain.policy.sources import AUTHSERV_ID, HEADER, SERVICE_OR_LABEL
from shared.domain.policy.surveys import VERSION, survey_mistakes
from shared.domain.policy.teams import contact_detail_in
from shared.mistake import Mistake, Path, Wrong, path_text
from shared.yaml12 import Plain

Schema = Mapping[str, Any]


def siblings(model: type[BaseModel], path: Sequence[int | str]) -> set[str]:
    """Return the fields allowed at `path`, a location as reported by pydantic."""
    whole = _schema(model)
    here = [whole]
    for step in path:
        choices = [choice for each in here for choice in _choices(each, whole)]
        below = [part for each in choices if (part := _below(each, step)) is not None]
        # Otherwise the step is the name of a union's branch.
        here = below or [each for each in choices if _is(each, step)] or choices
    return {
        field
        for each in here
        for choice in _choices(each, whole)
        for field in choice.get("properties", ())
    }


@cache
def _schema(model: type[BaseModel]) -> Schema:
    return model.model_json_schema()


def _choices(schema: Schema, whole: Schema) -> Iterator[Schema]:
    match schema:
        case {"$ref": str(target)}:
            yield from _choices(whole["$defs"][target.rpartition("/")[2]], whole)
        case {"anyOf": parts} | {"oneOf": parts}:
            for part in parts:
                yield from _choices(part, whole)
        case _:
            yield schema


def _below(schema: Schema, step: int | str) -> Schema | None:
    match schema:
        case {"properties": fields} if step in fields:
            found: Schema = fields[step]
        case {"patternProperties": values}:
            found = next(iter(values.values()))
        case {"additionalProperties": Mapping() as found}:
            pass
        case {"items": found} if isinstance(step, int):
            pass
        case _:
            return None
    return found


def _is(schema: Schema, tag: int | str) -> bool:
    fields = schema.get("properties", {})
    return any(
        tag == field.get("const") or tag in field.get("enum", ())
        for field in fields.values()
    )


_MAPPING = "write a mapping here: {{a: 1}}"
_SENTENCES = {
    "missing": "missing: add it",
    "union_tag_not_found": "say what it is: {discriminator} is missing",
    "union_tag_invalid": "{discriminator} must be one of {expected_tags}",
    "value_error": "{error}",
    "literal_error": "write one of {expected}",
    "string_type": 'write text, in quotes where it looks like a number: "42"',
    "int_type": "write a whole number",
    "too_short": "write at least {min_length} here",
    "tuple_type": "write a list here: [a, b]",
    "mapping_type": _MAPPING,
    "dict_type": _MAPPING,
    "model_type": _MAPPING,
    "model_attributes_type": _MAPPING,
}
_FORMS = {
    NAME: "a name of letters, digits, - and _, at most 64",
    PERSON: "a person's id: letters, digits, . - and _, at most 128",
    LANGUAGE: "a language by its two letters, such as fr",
    ZONE: "a time zone such as Europe/Paris",
    REGION: "a country or a country and subdivision, such as FR or CA-QC",
    HEADER: "the name of a header: letters, digits and -, at most 64",
    VERSION: "a version: v1, v2 and so on",
    SERVICE_OR_LABEL: "the name of a service, or `labels.` and the name of a label",
    AUTHSERV_ID: "the name of your mail server, such as mx.example.org",
    WHAT: "`source`, `service`, or `labels.` and the name of a label",
    LABEL: "the name of a label: letters, digits, . - and _, at most 100",
}
_AS_DOCUMENTED = "it in the form that docs/reference/policy.md gives"


def explained(error: ErrorDetails, model: type[BaseModel]) -> str:
    """Return the message for one error in a validation of `model`."""
    if error["type"] == "extra_forbidden":
        *above, word = error["loc"]
        return f"no such field: {_near(str(word), siblings(model, above))}"
    if error["type"] == "string_pattern_mismatch":
        pattern = error["ctx"]["pattern"]
        return f"write {_FORMS.get(pattern, _AS_DOCUMENTED)}"
    if error["type"] in _SENTENCES:
        return _SENTENCES[error["type"]].format(**error.get("ctx", {}))
    return f"{error['msg'][0].lower()}{error['msg'][1:]}"


def _near(word: str, fields: Collection[str]) -> str:
    near = get_close_matches(word, sorted(fields), 1)
    return f"did you mean `{near[0]}`?" if near else "take it out"


DOCUMENT_MAX = 16 * 1024 * 1024
"""Bytes of the canonical document, including every closed day as a date."""

_FORBIDDEN = (
    "does not belong in a policy, which is kept for ever: write the person's id, "
    "and put the rest into the directory with `permanence people import`"
)

Location = tuple[int | str, ...]


def check(document: Plain) -> Policy | list[Wrong]:
    """Return `document` as a policy, or each wrong path with a message."""
    wrong: list[Wrong] = []
    policy: Policy | None = None
    try:
        policy = Policy.model_validate(document)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        within = Counter(
            one["loc"][:depth] for one in found for depth in range(len(one["loc"]) + 1)
        )
        wrong = [
            (path_of(one, document), explained(one, Policy))
            for one in found
            if not _is_aftermath(one, within)
        ]
    wrong += [*_kept_for_ever(document), *dangling(document)]
    wrong += [*missing_texts(document), *unknown_to_the_world(document)]
    wrong += [*unmappable(document), *taken_names(document)]
    wrong += [*survey_mistakes(document), *review_mistakes(document)]
    if policy and not wrong:
        return too_large(policy) or [*too_many_pages(policy.escalation)] or policy
    return wrong


def _is_aftermath(error: ErrorDetails, within: Mapping[Location, int]) -> bool:
    """Return whether `error` only follows from other errors in the same list.

    `within` is the number of errors at a location and below it.
    """
    return error["type"] == "too_short" and within[error["loc"]] > 1


def path_of(error: ErrorDetails, document: object) -> Path:
    """Return the path of `error` in the document, without pydantic's branch names."""
    path: list[str | int] = []
    here = document
    for step in error["loc"]:
        if isinstance(here, dict) and step in here:
            here = here[str(step)]
        elif isinstance(here, list) and isinstance(step, int) and step < len(here):
            here = here[step]
        else:
            continue
        path.append(step)
    if error["type"] == "missing":
        path.append(error["loc"][-1])
    return tuple(path)


def _kept_for_ever(document: Plain) -> Iterator[Wrong]:
    for path, value in everything(document):
        kind = contact_detail_in(value) if isinstance(value, str) else None
        if kind:
            yield path, f"{kind} {_FORBIDDEN}"


def too_large(policy: Policy) -> list[Wrong]:
    """Return an error if the policy is longer than a document may be."""
    size = len(orjson.dumps(policy.document()))
    if size <= DOCUMENT_MAX:
        return []
    return [
        ((), f"{size} bytes as a document, at most {DOCUMENT_MAX}: make it shorter")
    ]


def read(text: str) -> Policy | list[Mistake]:
    """Return the policy in `text`, YAML 1.2, or its mistakes by line."""
    written = yaml12.read(text)
    if isinstance(written, list):
        return written
    checked = check(written.value)
    if isinstance(checked, Policy):
        return checked
    return _placed(written, checked)


def placed(text: str, wrong: Iterable[Wrong]) -> list[Mistake]:
    """Return the mistakes in the policy in `text`, with their lines."""
    written = yaml12.read(text)
    return written if isinstance(written, list) else _placed(written, wrong)


def _placed(written: yaml12.ParsedYaml, wrong: Iterable[Wrong]) -> list[Mistake]:
    mistakes = {
        Mistake(path_text(path), written.line(path), sentence)
        for path, sentence in wrong
    }
    return sorted(mistakes, key=lambda each: (each.line or 0, each.path, each.sentence))
