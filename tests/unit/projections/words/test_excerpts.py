"""Excerpts show the words that hashes find, and nothing else of a long text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.projections.words.excerpts import Words, pieces
from services.projections.words.normalization import searched, stems
from tests.unit.projections.words.test_hashes import FOUND, NOT_FOUND


@pytest.mark.parametrize(("q", "text"), FOUND)
def test_what_hashes_find_is_shown(q: str, text: str) -> None:
    assert pieces(Words(q), text)[0] == set(searched(q))


@pytest.mark.parametrize(("q", "text"), NOT_FOUND)
def test_what_hashes_do_not_find_is_not_shown(q: str, text: str) -> None:
    assert pieces(Words(q), text)[0] != set(searched(q))


def test_an_excerpt_shows_the_words_found_and_what_is_around_them() -> None:
    before, after = "before " * 40, "after " * 90
    found, shown = pieces(
        Words("réseaux panne"), f"{before}Le réseau est en panne {after}"
    )

    text = "".join(piece.text for piece in shown)
    assert found == {"reseaux", "panne"}
    assert [piece.text for piece in shown if piece.hit] == ["réseau", "panne"]
    assert text.startswith("… before before")
    assert text.endswith("after …")
    assert "before Le réseau est en panne after" in text


def test_a_short_text_is_shown_whole_on_one_line() -> None:
    _, shown = pieces(Words("badge"), "  Mon badge\n ne marche\tplus ")

    assert [*shown] == [("Mon ", False), ("badge", True), (" ne marche plus", False)]


def test_a_text_without_any_of_the_words_is_not_shown() -> None:
    assert pieces(Words("badge"), "Rien") == (frozenset(), ())


@given(st.text(), st.text(max_size=20))
def test_the_pieces_of_an_excerpt_are_a_part_of_the_text(text: str, q: str) -> None:
    found, shown = pieces(Words(f"{q} a"), text)

    assert bool(found) == bool(shown)
    assert all(piece.text for piece in shown)


def test_no_word_is_stemmed_that_begins_with_another_letter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Stemming takes longer than all the rest of a search."""
    words, asked = Words("Zibelines"), []

    def noted(word: str, spelling: str) -> frozenset[str]:
        asked.append(word)
        return stems(word, spelling)

    monkeypatch.setattr("services.projections.words.excerpts.stems", noted)

    found, _ = pieces(words, "The printer keeps zebras, a ZIBELINE and Zoë, warm")

    assert found == {"zibelines"}
    assert asked == ["zebras", "zibeline", "zoe"]
