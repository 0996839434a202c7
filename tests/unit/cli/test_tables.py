"""Tables on a terminal: no word is broken where there is room, and nothing is lost."""

from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text

from cli.shell.table import Table, shared_out


def shown(table: Table, width: int) -> str:
    """Return what a terminal of that width shows."""
    console = Console(file=StringIO(), width=width, soft_wrap=True)
    console.print(table)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


TOKENS = Table(
    ("actor", "scopes", "last used"),
    [
        ("person:nadia", "agent manager auditor", "2025-06-30T07:52:00Z"),
        ("source:prometheus", "source", "-"),
    ],
)


def test_where_there_is_room_each_row_is_a_line() -> None:
    assert shown(TOKENS, 80) == (
        "actor              scopes                 last used\n"
        "person:nadia       agent manager auditor  2025-06-30T07:52:00Z\n"
        "source:prometheus  source                 -\n"
    )


def test_where_there_is_less_lines_end_between_words() -> None:
    assert shown(TOKENS, 54) == (
        "actor              scopes         last used\n"
        "person:nadia       agent manager  2025-06-30T07:52:00Z\n"
        "                   auditor\n"
        "source:prometheus  source         -\n"
    )


def test_where_the_words_have_no_room_beside_each_other_they_are_listed() -> None:
    assert shown(TOKENS, 40) == (
        "actor      person:nadia\n"
        "scopes     agent manager auditor\n"
        "last used  2025-06-30T07:52:00Z\n"
        "\n"
        "actor      source:prometheus\n"
        "scopes     source\n"
        "last used  -\n"
    )


def test_a_long_key_is_broken_before_all_of_it_is_listed() -> None:
    row = ("sources.prometheus.signature.old_secret", "env:PROM_HMAC")

    assert shown(Table(("what", "after"), [row]), 40) == (
        "what                       after\n"
        "sources.prometheus.signat  env:PROM_HMAC\n"
        "ure.old_secret\n"
    )


def test_what_looks_like_markup_is_none() -> None:
    table = Table(("reason",), [("[bold]no[/bold]",), (Text("[red]"),)])

    assert shown(table, 80) == "reason\n[bold]no[/bold]\n[red]\n"


def test_a_title_stands_above() -> None:
    assert shown(Table(("field", "value"), [("a", 1)], "one"), 80) == (
        "one\nfield  value\na      1\n"
    )


def test_an_empty_table_is_a_sentence_and_never_only_its_head() -> None:
    columns = ("field", "value")

    assert shown(Table(columns, title="a title", empty="No fields."), 80) == (
        "a title\nNo fields.\n"
    )
    assert not shown(Table(columns), 80).strip()


def test_no_column_has_one_word_a_line() -> None:
    row = ("tok_0123456789", "person:nadia", "the pager of the night shift", "living")

    assert shown(Table(("id", "actor", "label", "state"), [row]), 44) == (
        "id     tok_0123456789\n"
        "actor  person:nadia\n"
        "label  the pager of the night shift\n"
        "state  living\n"
    )


cells = st.text(st.sampled_from("abé 日[]\n"), max_size=60)


@pytest.mark.parametrize("width", [20, 80])
@given(st.lists(st.tuples(cells, cells, cells), max_size=4))
def test_nothing_is_lost_at_any_width(
    width: int, rows: list[tuple[str, str, str]]
) -> None:
    said = shown(Table(("a", "b", "c"), rows), width)

    for row in rows:
        for cell in row:
            for letter in set(cell) - {" ", "\n"}:
                assert said.count(letter) >= cell.count(letter)
    assert all(len(line) <= width for line in said.splitlines())


widths = st.lists(st.integers(0, 200), min_size=1, max_size=6)


@given(widths, st.integers(0, 300))
def test_columns_share_the_room_and_keep_their_words(
    whole: list[int], room: int
) -> None:
    words = [width // 2 for width in whole]
    given_widths = shared_out(words, whole, room)

    if given_widths is None:
        assert sum(words) > room
        return
    assert sum(given_widths) <= max(room, 0)
    for word, width, most in zip(words, given_widths, whole, strict=True):
        assert word <= width <= most
