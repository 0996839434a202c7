"""What the screens for people make of the answers of the API."""

from typing import Any

import pytest

from services.projections.web.people.views import FileMistake, lines, mistakes_in

TEXT = "id;name\na;A\nb;"


@pytest.mark.parametrize(
    ("message", "mistake"),
    [
        ("row 3: name: missing: add it", (3, "name", "missing: add it", "b;")),
        ("row 9: id: also in row 2: keep one", (9, "id", "also in row 2: keep one")),
        ("row 2: 3 cells: the header has 2", (2, "3 cells", "the header has 2", "a;A")),
        ("line 1: no YAML", (1, "", "no YAML", "id;name")),
        (
            "there is nothing in it: say it",
            (None, "", "there is nothing in it: say it"),
        ),
    ],
)
def test_a_mistake_in_a_file_is_shown_with_its_row(
    message: str, mistake: tuple[Any, ...]
) -> None:
    assert mistakes_in(TEXT, [message]) == [FileMistake(*mistake)]


def test_rows_are_not_shown_where_a_cell_may_have_several_lines() -> None:
    (found,) = mistakes_in('id,name\na,"A\nA"\nb,', ["row 3: name: missing: add it"])
    assert found.written == ""


def test_a_person_was_last_seen_when_a_session_was_used() -> None:
    token = {"person": "root", "last_used": None}
    at = "2026-11-27T20:57:00Z"
    session = {"actor": "person:root", "last_used": at}

    seen = lines([token], [session])["root"]
    assert (seen.last_used, seen.sessions) == (at, 1)
    assert lines([token], None)["root"].last_used is None
