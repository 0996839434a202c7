"""Instants as they are written on the command line."""

from datetime import UTC, datetime

import pytest
import typer

from cli.shell.parameters import instant_in


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("2025-06-30", datetime(2025, 6, 30, tzinfo=UTC)),
        ("2025-06-30T09:38+02:00", datetime(2025, 6, 30, 7, 38, tzinfo=UTC)),
        ("2025-06-30T07:38Z", datetime(2025, 6, 30, 7, 38, tzinfo=UTC)),
    ],
)
def test_an_instant_has_a_zone_and_a_day_begins_in_utc(
    written: str, instant: datetime
) -> None:
    found = instant_in(written)

    assert found == instant
    assert found is not None
    assert found.utcoffset() is not None


@pytest.mark.parametrize(
    "written", ["2025-06-30T09:38", "20250630", "noon", "2025-06-31"]
)
def test_anything_else_is_refused_with_examples(
    written: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as ended:
        instant_in(written)

    assert ended.value.exit_code == 2
    assert f"`{written}` is not an instant with its zone" in capsys.readouterr().err


def test_left_out_it_is_none() -> None:
    assert instant_in(None) is None
