"""The words of incidents and searches: without case, accents, order or language."""

import string
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.projections.queue.projection import project
from services.projections.queue.row import QueueRow
from services.projections.queue.search import (
    WORDS_MAX,
    as_tsquery,
    label_words,
    row_words,
)
from services.projections.words.normalization import (
    SEARCHED_MAX,
    WORD_MAX,
    searched,
    stems,
    words_of,
)
from shared.eventlog.entry import Entry
from tests.support.strategies.histories import START, opened

ENDS = ["", "s", "ies", "ying", "ement", "issement", "ation", "euse", "edly", "eed"]
"""What stemmers take away or replace."""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("L’écran est TRÈS lent", ("l", "ecran", "est", "tres", "lent")),
        ("Œuvre, cœur, Straße", ("oeuvre", "coeur", "strasse")),
        ("db-1.example.org:9100", ("db", "1", "example", "org", "9100")),
        ("snake_case %/var", ("snake", "case", "var")),
        ("twice Twice TWICE", ("twice",)),
        ("تعطل الخادم", ("تعطل", "الخادم")),
        ("\N{LATIN SMALL LIGATURE FI}le \N{FULLWIDTH DIGIT FOUR}", ("file", "4")),
        ("— … %", ()),
    ],
)
def test_words_have_neither_case_nor_accents(text: str, words: tuple[str]) -> None:
    assert words_of(text) == words


@given(st.text())
def test_a_word_has_letters_and_digits_alone_and_is_its_own_word(text: str) -> None:
    for word in words_of(text):
        assert word.isalnum()
        assert len(word) <= WORD_MAX
        assert words_of(word) == (word,)


@given(st.text(max_size=200))
def test_case_does_not_matter(text: str) -> None:
    plain = [each for each in words_of(text) if each.isascii()]
    for word in plain:
        assert words_of(word.upper()) == (word,)


def _row(**given: object) -> QueueRow:
    event = opened("INC-000042", **given)
    row = project(
        None, Entry(1, "incident-INC-000042", 1, event.type, START, None, event)
    )
    assert row
    return row


def test_a_row_has_the_words_of_reference_title_service_labels_and_people() -> None:
    row = _row(
        title="Écran noir", service="mail", reporter="zoe", labels={"host": "db-1"}
    )
    row = replace(row, contacts="jean.d", assignee="odd id")

    assert row_words(row).split() == [
        "inc",
        "000042",
        "42",
        "@jean.d",
        "@zoe",
        "ecran",
        "noir",
        "mail",
        "jean",
        "d",
        "zoe",
        "host",
        "db",
        "1",
    ]


def test_there_is_a_limit_to_the_words_of_a_row_and_of_a_search() -> None:
    many = " ".join(f"w{n}" for n in range(999))

    assert len(label_words({"all": many}).split()) == WORDS_MAX
    assert len(row_words(_row(title=many)).split()) == WORDS_MAX
    assert len(searched(many)) == SEARCHED_MAX
    assert label_words(None) == ""


def test_each_word_is_one_of_the_row_or_of_the_name_of_its_people() -> None:
    query = as_tsquery(["jean", "lent"], {"jean": ["j.d", "jean"]})

    assert query == "('jean':* | '@j.d' | '@jean') & ('lent':*)"


@given(st.text(string.ascii_lowercase, min_size=3, max_size=12), st.sampled_from(ENDS))
def test_a_stem_begins_with_the_letter_of_its_word(beginning: str, end: str) -> None:
    word = beginning + end

    assert {stem[3] for stem in stems(word, word)} == {word[0]}
