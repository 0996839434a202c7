"""Given lines on standard input, when they are answered, then one line each."""

import io
import sys
from types import SimpleNamespace

import pytest
import typer

from cli.shell.json_lines import LINE_MAX, answer_lines


def test_a_line_without_end_is_refused_and_never_held(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    held: list[int] = []

    class Source(io.BytesIO):
        def readline(self, size: int | None = -1) -> bytes:
            line = super().readline(size)
            held.append(len(line))
            return line

    said = b'{"a":1}\n\n' + b"x" * (3 * LINE_MAX) + b'\n{"a":2}'
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=Source(said)))

    with pytest.raises(typer.Exit):
        answer_lines(lambda question: question)

    first, long, last = capsys.readouterr().out.splitlines()
    assert (first, last) == ('{"a":1}', '{"a":2}')
    assert "more than" in long
    assert max(held) == LINE_MAX + 1
