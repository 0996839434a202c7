"""How commands answer people: numbers and their nouns, tables without gaps."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest
import typer

from cli.app import begin
from cli.shell.local_time import in_utc, shown_in, zone_of_reader
from cli.shell.output import Exit, answer, counted, in_json, plain_text, refused
from cli.shell.table import Table


@pytest.fixture(autouse=True)
def for_people() -> Iterator[None]:
    in_json.set(False)
    yield
    in_utc.set(False)
    zone_of_reader.set(None)


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

    answer(None, Table(("id", "actor"), [("1" * 12, "source:" + "x" * 60)]))

    said = capsys.readouterr().out
    assert said.count("x") == 60
    assert "…" not in said


def test_in_json_a_list_is_an_object_a_line_and_an_error_is_beside_the_answer(
    capsys: pytest.CaptureFixture[str],
) -> None:
    in_json.set(True)

    answer([{"id": 1}, {"id": 2}], "for people")
    refused("not now", Exit.INVALID)

    said = capsys.readouterr()
    assert said.out == '{"id": 1}\n{"id": 2}\n'
    assert said.err == '{"error": "not now"}\n'


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        ([], "from 2025-06-30T09:38:00+02:00 to 2025-12-01T08:00:00+01:00"),
        (["--utc"], "from 2025-06-30T07:38:00.250Z to 2025-12-01T07:00:00Z"),
    ],
)
def test_times_are_those_of_the_reader_unless_the_command_shows_utc(
    arguments: list[str], shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    span = "from 2025-06-30T07:38:00.250Z to 2025-12-01T07:00:00Z"
    app = typer.Typer()
    app.callback()(begin)

    @app.command()
    def show() -> None:
        shown_in("Europe/Paris")
        answer(None, span, Table(("span",), [(span,)]))

    app([*arguments, "show"], standalone_mode=False)

    assert capsys.readouterr().out.splitlines() == [shown, "span", shown]


def test_programs_read_times_in_utc(capsys: pytest.CaptureFixture[str]) -> None:
    shown_in("Europe/Paris")
    in_json.set(True)
    answer({"at": datetime(2025, 6, 30, 7, 38, tzinfo=UTC)}, "")
    in_json.set(False)

    assert '"2025-06-30T07:38:00Z"' in capsys.readouterr().out
