"""Sealed words are searched by keyed hashes: by beginnings and by stems."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.projections.words.hashes import TEXT_MAX, WordHashes
from services.projections.words.normalization import (
    PREFIX_MAX,
    PREFIX_MIN,
    searched,
    spelled,
    words_of,
)

_OURS, _OTHERS = WordHashes(b"k" * 32), WordHashes(b"o" * 32)
FOUND = [
    ("imp", "L’imprimante est bloquée"),
    ("IMPRIMANTES", "L’imprimante est bloquée"),
    ("imprimante", "Deux imprimantes"),
    ("reseau", "Les réseaux du siège"),
    ("réseaux", "le reseau du siege"),
    ("journaux", "le journal de bord"),
    ("bloqué", "Toutes sont bloquées"),
    ("bloquées", "Le poste est bloqué"),
    ("passwords", "my password expired"),
    ("fails", "it failed again"),
    ("oeuvre", "Main-d’Œuvre"),
    ("pc", "Le PC du bureau"),
    ("authentificateurs", "une authentification"),
    ("siège bloqué", "bloqué depuis le matin, au siège"),
]
NOT_FOUND = [
    ("primante", "L’imprimante"),
    ("im", "L’imprimante"),
    ("p", "Le PC du bureau"),
    ("imprimante verte", "L’imprimante est bloquée"),
    ("srv01", "srv02"),
]


def _is_found(q: str, text: str) -> bool:
    spellings, held = spelled(q), _OURS.of(text)
    return all(
        _OURS.searched(word, spellings.get(word, word), ()) & held
        for word in searched(q)
    )


@pytest.mark.parametrize(("q", "text"), FOUND)
def test_a_word_is_found_by_its_beginning_and_in_singular_and_plural(
    q: str, text: str
) -> None:
    assert _is_found(q, text)


@pytest.mark.parametrize(("q", "text"), NOT_FOUND)
def test_nothing_else_is_found(q: str, text: str) -> None:
    assert not _is_found(q, text)


@given(st.text(max_size=60), st.integers(PREFIX_MIN, PREFIX_MAX + 9))
def test_every_word_of_a_text_is_found_by_each_of_its_beginnings(
    text: str, length: int
) -> None:
    for word in words_of(text):
        assert _is_found(word, text)
        if len(word) >= length:
            assert _is_found(word[:length], text)


def test_under_another_key_the_same_words_have_no_hash_in_common() -> None:
    text = "The payroll of Zoé is wrong, call 42"

    assert _OURS.of(text).isdisjoint(_OTHERS.of(text))
    assert _OURS.of_people(["zoe"]).isdisjoint(_OTHERS.of_people(["zoe"]))


def test_a_person_is_not_found_by_writing_what_stands_for_them() -> None:
    assert _OURS.of("@:zoe").isdisjoint(_OURS.of_people(["zoe"]) - _OURS.of("zoe"))


def test_the_end_of_a_very_long_text_is_not_indexed() -> None:
    assert not _is_found("needle", "x " * TEXT_MAX + "needle")
