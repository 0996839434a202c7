"""How commands answer people: numbers and their nouns, tables without gaps."""

from datetime import datetime, timedelta, timezone

import pytest

from cli.shell.output import answer, counted, plain_text, table_of


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0 events"), (1, "1 event"), (2, "2 events")]
)
def test_a_number_and_its_noun_agree(number: int, said: str) -> None:
    assert counted(number, "event") == said


def test_an_instant_is_written_as_the_api_writes_it() -> None:
    paris = timezone(timedelta(hours=2))

    assert plain_text(datetime(2025, 6, 30, 9, 38, tzinfo=paris)) == (
        "2025-06-30T07:38:00Z"
    )


def test_nothing_in_a_table_is_cut_off(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    table = table_of("id", "actor")
    table.add_row("1" * 12, "source:" + "x" * 60)

    answer(False, None, table)

    said = capsys.readouterr().out
    assert said.count("x") == 60
    assert "…" not in said
