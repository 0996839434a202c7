"""What is wrong with a value is said in words: no regular expression to read."""

import json
import re
from collections.abc import Iterator

import pytest
from pydantic_core import ErrorDetails

from shared.domain.policy.document import Policy, json_schema
from shared.domain.policy.validation import explained
from shared.validation_messages import said
from tests.docs.pages import DOCS

PATTERN = re.compile(r"\[[^\]]+\]|\{\d|\^|\\[dx]")
"""What only a regular expression has in it."""


def patterns(schema: object) -> Iterator[str]:
    match schema:
        case dict():
            if isinstance(found := schema.get("pattern"), str):
                yield found
            for part in schema.values():
                yield from patterns(part)
        case list():
            for part in schema:
                yield from patterns(part)
        case _:
            pass


def requested() -> set[str]:
    pages = ("openapi.json", "intake-openapi.json")
    texts = ((DOCS / "reference" / name).read_text(encoding="utf-8") for name in pages)
    return {pattern for text in texts for pattern in patterns(json.loads(text))}


def mismatch(pattern: str) -> ErrorDetails:
    return ErrorDetails(
        type="string_pattern_mismatch",
        loc=("body", "ref"),
        msg=f"String should match pattern '{pattern}'",
        input="INC-99",
        ctx={"pattern": pattern},
    )


@pytest.mark.parametrize("pattern", sorted(requested()))
def test_what_a_request_must_look_like_is_said_in_words(pattern: str) -> None:
    sentence = said(mismatch(pattern))

    assert sentence.startswith("write ")
    assert "API's description" not in sentence
    assert not PATTERN.search(sentence)


@pytest.mark.parametrize("pattern", sorted(set(patterns(json_schema()))))
def test_what_a_policy_must_look_like_is_said_in_words(pattern: str) -> None:
    sentence = explained(mismatch(pattern), Policy)

    assert sentence.startswith("write ")
    assert not PATTERN.search(sentence)


@pytest.mark.parametrize(
    ("pattern", "example"),
    [
        (r"^INC-(?:[0-9]{1,3}-)?[0-9]{6,12}$", "INC-000042"),
        (r"^INC-(?:[0-9]{1,3}-)?[0-9]{6,12}-E[0-9]{1,4}$", "INC-000042-E1"),
        (r"^PRB-[0-9]{6,12}$", "PRB-000042"),
    ],
)
def test_a_reference_is_shown_by_an_example(pattern: str, example: str) -> None:
    assert said(mismatch(pattern)) == f"write a reference such as {example}"


def test_the_key_of_a_report_is_said_with_its_length() -> None:
    sentence = said(mismatch("^[A-Za-z0-9_-]{16,64}$"))

    assert sentence == "write 16 to 64 letters, digits, - and _"


def test_an_error_without_its_context_is_told_all_the_same() -> None:
    error = {"type": "string_pattern_mismatch", "msg": "String should match pattern"}

    assert said(error).startswith("write it in the form")
