"""Pages made from the code say what the code says."""

import pytest

from docs.generate.field_docs import field_docs
from docs.generate.forms import form
from docs.generate.pages import PAGES, Made
from shared.domain.events.incident import IncidentReopened
from shared.domain.events.incident_signals import IncidentSignalled


@pytest.mark.parametrize("made", PAGES, ids=lambda made: made.PAGE.name)
def test_a_page_is_what_its_generator_writes(made: Made) -> None:
    written = made.PAGE.read_text(encoding="utf-8")

    assert written == made.page(), "it is stale: run `make docs`"


@pytest.mark.parametrize("made", PAGES, ids=lambda made: made.PAGE.name)
def test_a_row_of_a_table_is_one_line(made: Made) -> None:
    broken = [
        line
        for line in made.PAGE.read_text(encoding="utf-8").splitlines()
        if line.endswith("|") and not line.startswith("|")
    ]

    assert broken == []


def test_a_field_is_told_by_the_docstring_under_it() -> None:
    docs = field_docs(IncidentReopened)

    assert docs["cycle"] == "2 for the first reopening."
    assert "reason" not in docs


def test_a_docstring_of_two_lines_is_one_cell() -> None:
    assert all("\n" not in text for text in field_docs(IncidentSignalled).values())


def test_forms_are_words_and_not_types() -> None:
    schema = IncidentSignalled.model_json_schema()
    fields = {
        name: form(field, schema.get("$defs", {}))
        for name, field in schema["properties"].items()
    }

    assert fields["incident"] == "`INC-000042`"
    assert fields["last_at"] == "instant"
    assert fields["severity"] == "`critical`, `error`, `warning`, `info`"
    assert fields["repeats"] == "whole number"
