"""Given a mistake in a correction, when it is sent, then it says what is wrong."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from cli.app import command_line

_PLACE = ["--api", "http://desk.example", "--token", "t"]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    urls: list[str] = []

    def answer(method: str, url: str, **_: Any) -> httpx.Response:
        urls.append(f"{method} {url}")
        wrong = [{"loc": ["body", "zone"], "msg": "write a time zone", "type": "zone"}]
        detail = "the command is not well formed: see `errors`"
        said = {"detail": detail, "errors": wrong}
        return httpx.Response(422, content=json.dumps(said))

    monkeypatch.setattr(httpx, "request", answer)
    return urls


def corrected(tmp_path: Path, *given: str) -> Any:
    home = ["people", "--home", str(tmp_path), "correct"]
    return CliRunner().invoke(command_line(), [*home, *given, *_PLACE])


def test_a_column_without_text_is_not_cleared(sent: list[str], tmp_path: Path) -> None:
    done = corrected(tmp_path, "zoe", "phone")

    assert done.exit_code == 2
    assert "`phone=`" in done.output
    assert not sent


def test_the_mistakes_are_named(sent: list[str], tmp_path: Path) -> None:
    done = corrected(tmp_path, "../zoe", "zone=Mars")

    assert "not well formed: zone: write a time zone" in done.output
    assert sent == ["POST http://desk.example/v1/people/..%2Fzoe/correct"]
