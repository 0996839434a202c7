"""Every event reads as in `sentences/<language>.txt`: in full, and with the least."""

import pytest

from docs.generate.sentences import PAGES, Sentences


@pytest.mark.parametrize("sentences", PAGES, ids=lambda each: each.language)
def test_it_reads_as_it_was_approved(sentences: Sentences) -> None:
    approved = sentences.PAGE.read_text(encoding="utf-8")

    assert "".join(sentences.lines()) == approved, (
        f"sentences differ from tests/golden/sentences/{sentences.PAGE.name}. `make"
        " docs` adds those of a new event; to change others, remove their lines, run"
        " `make docs`, and read what it wrote."
    )
