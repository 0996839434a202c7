"""The JSON schema and the reference page say what the models say."""

from datetime import date

import pytest
from jsonschema import Draft202012Validator

from docs.generate import policy as page
from shared import yaml12
from shared.domain.policy.document import json_schema
from shared.domain.policy.public_holidays import expand
from tests.support.policies import full, full_text

validator = Draft202012Validator(json_schema())


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(json_schema())


def test_an_editor_takes_the_full_policy_as_written_and_as_applied() -> None:
    written = yaml12.read(full_text())
    assert isinstance(written, yaml12.ParsedYaml)
    assert list(validator.iter_errors(written.value)) == []
    applied = expand(full(), date(2025, 7, 1)).document()
    assert list(validator.iter_errors(applied)) == []


@pytest.mark.parametrize(
    "change",
    [("close_after: 12h", "close_after: 2d"), ("type: imap", "type: pop3"),
     ("ping_pong: 3", "pingpong: 3"), ("mon-thu:", "montag:"),
     ('"env:PROM_KEY"', "hunter2")],
)  # fmt: skip
def test_an_editor_marks_a_mistake(change: tuple[str, str]) -> None:
    written = yaml12.read(full_text(change))
    assert isinstance(written, yaml12.ParsedYaml)
    assert list(validator.iter_errors(written.value))


def test_the_reference_page_is_as_the_models_are() -> None:
    assert page.PAGE.read_text(encoding="utf-8") == page.page(), (
        "run python -m docs.generate.policy"
    )
