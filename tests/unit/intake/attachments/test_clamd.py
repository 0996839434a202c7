"""What clamd answers, and what that means for a file."""

import asyncio
from pathlib import Path

import pytest

from services.intake.attachments.clamd import (
    Finding,
    ScannerAway,
    finding_of,
    scan,
)
from tests.support.mail.sent_files import EICAR
from tests.support.servers.clamd_server import STREAM_MAX, clamd


@pytest.mark.parametrize(
    ("reply", "finding"),
    [
        ("stream: OK", Finding("clean")),
        (
            "stream: Win.Test.EICAR_HDB-1 FOUND",
            Finding("infected", "Win.Test.EICAR_HDB-1"),
        ),
        (
            "instream(127.0.0.1@43918): Eicar-Signature FOUND",
            Finding("infected", "Eicar-Signature"),
        ),
        (
            "stream: Heuristics.Encrypted.Zip FOUND",
            Finding("unscannable", "Heuristics.Encrypted.Zip"),
        ),
        (
            "stream: Heuristics.Limits.Exceeded.MaxFileSize FOUND",
            Finding("unscannable", "Heuristics.Limits.Exceeded.MaxFileSize"),
        ),
        (
            "INSTREAM size limit exceeded. ERROR",
            Finding("unscannable", "larger than StreamMaxLength of clamd"),
        ),
    ],
)
def test_each_answer_has_its_verdict(reply: str, finding: Finding) -> None:
    assert finding_of(reply) == finding


@pytest.mark.parametrize(
    "reply", ["", "UNKNOWN COMMAND", "stream: Can't allocate memory ERROR", "FOUND"]
)
def test_any_other_answer_is_not_taken_for_a_verdict(reply: str) -> None:
    with pytest.raises(ScannerAway):
        finding_of(reply)


def test_a_scanner_is_asked_over_the_network_as_clamd_is() -> None:
    with clamd() as url:
        found = [
            asyncio.run(scan(url, content))
            for content in (b"words", EICAR, b"", b"x" * (STREAM_MAX + 1))
        ]

    assert [each.verdict for each in found] == [
        "clean",
        "infected",
        "clean",
        "unscannable",
    ]


@pytest.mark.parametrize("url", ["tcp://127.0.0.1:9", "unix:///nowhere/clamd.ctl"])
def test_a_scanner_that_is_away_gives_no_verdict(url: str) -> None:
    with pytest.raises(ScannerAway):
        asyncio.run(scan(url, b"words"))


def test_a_scanner_that_hangs_up_without_an_answer_gives_no_verdict(
    tmp_path: Path,
) -> None:
    async def asked() -> None:
        def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.close()

        path = tmp_path / "c"
        async with await asyncio.start_unix_server(hang_up, path):
            await scan(f"unix://{path}", b"words")

    with pytest.raises(ScannerAway):
        asyncio.run(asked())
