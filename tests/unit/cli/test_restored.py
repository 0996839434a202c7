"""`permanence restored` where it is not told of which desk it is about."""

from pathlib import Path

from typer.testing import CliRunner

from cli.app import command_line

RESTORED = ("restored", "--reason", "a test", "--by", "root", "--home")
NO_DATABASE = "postgresql://desk_admin:x@127.0.0.1:1/permanence"
OUTSIDE = {"DATABASE_URL": None, "NATS_URL": None}


def said(*options: str) -> tuple[int, str]:
    """Return the exit code and all that is printed."""
    done = CliRunner().invoke(command_line(), list(options), env=OUTSIDE)
    return done.exit_code, done.output


def test_no_desk_is_said_before_anything_of_nats(tmp_path: Path) -> None:
    code, words = said(*RESTORED, f"{tmp_path}")
    assert code == 3
    assert "DATABASE_URL" in words
    assert "--force" not in words


def test_no_nats_is_told_from_one_that_knows_nothing(tmp_path: Path) -> None:
    code, words = said(*RESTORED, f"{tmp_path}", "--database", NO_DATABASE)
    assert code == 2
    assert "set NATS_URL" in words


def test_an_address_that_is_none_is_said_to_be_so(tmp_path: Path) -> None:
    here = (*RESTORED, f"{tmp_path}", "--database", NO_DATABASE)
    code, words = said(*here, "--nats", "http://nowhere")
    assert code == 2
    assert "write nats://" in words
