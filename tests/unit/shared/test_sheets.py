"""Tables on a terminal: no word is broken where there is room, and nothing is lost."""

from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text

from cli.shell.output import Sheet, shared_out


def shown(sheet: Sheet, width: int) -> str:
    """Return what a terminal of that width shows."""
    console = Console(file=StringIO(), width=width, soft_wrap=True)
    console.print(sheet)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def tokens() -> Sheet:
    sheet = Sheet(("actor", "scopes", "last used"))
    sheet.add_row("person:nadia", "agent manager auditor", "2025-06-30T07:52:00Z")
    sheet.add_row("source:prometheus", "source", "-")
    return sheet


def test_where_there_is_room_each_row_is_a_line() -> None:
    assert shown(tokens(), 80) == (
        "actor              scopes                 last used\n"
        "person:nadia       agent manager auditor  2025-06-30T07:52:00Z\n"
        "source:prometheus  source                 -\n"
    )


def test_where_there_is_less_lines_end_between_words() -> None:
    assert shown(tokens(), 54) == (
        "actor              scopes         last used\n"
        "person:nadia       agent manager  2025-06-30T07:52:00Z\n"
        "                   auditor\n"
        "source:prometheus  source         -\n"
    )


def test_where_the_words_have_no_room_beside_each_other_they_are_listed() -> None:
    assert shown(tokens(), 40) == (
        "actor      person:nadia\n"
        "scopes     agent manager auditor\n"
        "last used  2025-06-30T07:52:00Z\n"
        "\n"
        "actor      source:prometheus\n"
        "scopes     source\n"
        "last used  -\n"
    )


def test_a_long_key_is_broken_before_all_of_it_is_listed() -> None:
    sheet = Sheet(("what", "after"))
    sheet.add_row("sources.prometheus.signature.old_secret", "env:PROM_HMAC")

    assert shown(sheet, 40) == (
        "what                       after\n"
        "sources.prometheus.signat  env:PROM_HMAC\n"
        "ure.old_secret\n"
    )


def test_what_looks_like_markup_is_none() -> None:
    sheet = Sheet(("reason",))
    sheet.add_row("[bold]no[/bold]")
    sheet.add_row(Text("[red]"))

    assert shown(sheet, 80) == "reason\n[bold]no[/bold]\n[red]\n"


def test_a_title_stands_above_and_an_empty_table_is_its_head() -> None:
    assert shown(Sheet(("field", "value"), "nothing yet"), 80) == (
        "nothing yet\nfield  value\n"
    )


cells = st.text(st.sampled_from("abé 日[]\n"), max_size=60)


@pytest.mark.parametrize("width", [20, 80])
@given(st.lists(st.tuples(cells, cells, cells), max_size=4))
def test_nothing_is_lost_at_any_width(
    width: int, rows: list[tuple[str, str, str]]
) -> None:
    sheet = Sheet(("a", "b", "c"))
    for row in rows:
        sheet.add_row(*row)
    said = shown(sheet, width)

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
