"""What servers say is kept, in bounds, and the last of it is at hand."""

from pathlib import Path

import pytest

from standalone import servers
from standalone.servers import ServersLog


def test_the_last_lines_of_a_server_are_shown_with_where_the_others_are(
    tmp_path: Path,
) -> None:
    log = ServersLog(tmp_path)
    for number in range(7):
        log.write("postgres", f"line {number}")
    log.write("nats", "of another")

    assert log.last_of("postgres").splitlines()[1:] == [
        "The last that it said, of " + f"{tmp_path / 'servers.log'}:",
        *(f"  line {number}" for number in range(2, 7)),
    ]
    assert log.last_of("") == ""
    kept = (tmp_path / "servers.log").read_text(encoding="utf-8")
    assert kept.splitlines()[0] == "postgres │ line 0"


def test_it_begins_again_when_it_is_large_and_keeps_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "LOG_BYTES_MAX", 40)
    log = ServersLog(tmp_path)

    for word in ("first", "second", "third"):
        log.write("nats", word.ljust(10))

    assert "third" in log.path.read_text(encoding="utf-8")
    assert "second" in (tmp_path / "servers.log.1").read_text(encoding="utf-8")


def test_a_full_disk_stops_nobody(tmp_path: Path) -> None:
    log = ServersLog(tmp_path / "gone")

    log.write("nats", "nobody keeps it")

    assert "nobody keeps it" in log.last_of("nats")
