"""What the files of a host keep of a log that went back, is another one, or is empty.

No NATS answers, unless a test says so: the files alone have to tell the next start.
"""

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shared.eventlog.continuity.check import Continuity, Discontinued, LogSnapshot
from shared.eventlog.continuity.evidence import (
    FIRST,
    NATS,
    EpochId,
    Evidence,
    Mark,
    Numbers,
)
from shared.eventlog.continuity.witness import Kept, Witness, read_folder
from shared.eventlog.recorder import Head

OURS, THEIRS, EMPTY = "0" * 15 + "a", "0" * 15 + "b", ""
GONE = Mark(14, b"gone" * 8)
"""What was lost with a restore; the log has grown past it."""


def event(position: int, origin: str = OURS) -> Mark:
    return Mark(position, origin.encode() * 2)


class Process:
    """A service that has just started, with its file."""

    def __init__(self, folder: Path, service: str = "intake") -> None:
        self.continuity, self.witness = Continuity(), Witness(folder, service)
        self.witness.begin(self.continuity)

    def looks(
        self, end: int, origin: str = OURS, epoch: EpochId = FIRST, restored: int = 0
    ) -> "Process":
        """Look at a log that ends there, and keep what is known of it."""
        head = Head(
            end, datetime(2026, 12, 1, tzinfo=UTC), event(end, origin).chain, None
        )
        sight = LogSnapshot(head, epoch, restored, (), [], origin)
        told = list(self.continuity._told.values())
        marks = [self.continuity.last, *(each.mark for each in told)]
        log = {event(position, origin) for position in range(end + 1)}
        found = {mark: mark in log for mark in marks if mark.position}
        with suppress(Discontinued):
            self.continuity._judge(sight, found, told, is_own=False)
        self.witness.keep()
        return self

    def is_told(self, mark: Mark, origin: str = OURS, numbers: Numbers = {}) -> None:  # noqa: B006 # nobody changes it
        """Learn from NATS what it has seen."""
        assert self.continuity.expect(Evidence(mark, FIRST, NATS, origin, numbers))

    @property
    def blocked(self) -> bool:
        return self.continuity.blocked is not None


def issued(folder: Path) -> int:
    """Return the highest number of an incident that the files know."""
    numbers = [seen.server.numbers for _, seen in read_folder(folder).found]
    return max(each.get("incident", 0) for each in numbers)


def test_what_blocked_a_process_blocks_it_at_every_later_start(tmp_path: Path) -> None:
    """It lies below what the process had recorded itself in the meantime."""
    process = Process(tmp_path).looks(19).looks(20)
    process.is_told(GONE)
    assert process.looks(20).blocked
    del process

    for _ in range(3):
        process = Process(tmp_path)
        process.witness.keep()  # before the log was looked at
        assert process.looks(20).blocked
        assert GONE in {seen.mark for _, seen in read_folder(tmp_path).found}
        del process
    process = Process(tmp_path).looks(21, epoch=EpochId(2, "aa"), restored=2)
    assert (
        process.looks(22, epoch=EpochId(2, "aa"), restored=2).continuity.blocked is None
    )
    assert {seen.epoch for _, seen in read_folder(tmp_path).found} == {2}


def test_more_that_contradicts_the_log_takes_no_slot_that_does(tmp_path: Path) -> None:
    process = Process(tmp_path).looks(19).looks(20).looks(20)
    assert {seen.position for _, seen in read_folder(tmp_path).found} == {19, 20}
    for position in (14, 16, 18):
        process.is_told(Mark(position, GONE.chain))
        process.looks(20)

    kept = {seen.position for _, seen in read_folder(tmp_path).found}
    assert kept == {14, 16}


def test_the_numbers_in_files_outlast_every_start_of_a_blocked_process(
    tmp_path: Path,
) -> None:
    process = Process(tmp_path).looks(19)
    process.continuity.issued({"incident": 7, "problem": 2})
    process.looks(20)
    del process

    for service in ("intake", "intake", "escalation"):
        process = Process(tmp_path, service)
        process.continuity.issued({"incident": 3})
        process.is_told(Mark(40, GONE.chain))  # in a record that names no numbers
        assert process.looks(4).blocked
        assert issued(tmp_path) == 7
        evidence = process.continuity.contradiction
        assert evidence
        assert evidence.numbers == {"incident": 7, "problem": 2}
        assert process.continuity.blocked
        assert evidence.written in process.continuity.blocked
        del process
    kept = {path.stem: seen for path, seen in read_folder(tmp_path).found}
    assert kept["escalation"].server.numbers == {"incident": 7, "problem": 2}


@pytest.mark.parametrize("service", ["intake", "escalation"])
def test_a_file_of_another_log_stops_its_host_until_nats_knows_this_log(
    tmp_path: Path, service: str
) -> None:
    """A service ran there once with another database."""
    process = Process(tmp_path, service).looks(1000, THEIRS)
    process.continuity.issued({"incident": 900})
    process.looks(1001, THEIRS)
    del process

    process = Process(tmp_path).looks(14)
    assert process.blocked
    assert "it is another log" in (process.continuity.blocked or "")
    evidence = process.continuity.contradiction
    assert evidence
    assert process.continuity.is_of_another_log(evidence), "it is not put into NATS"
    process.is_told(event(14))
    assert not process.looks(14).blocked
    assert not process.looks(15).looks(16).blocked
    process.witness.compare()
    assert not process.looks(17).blocked
    others = [] if service == "intake" else [tmp_path / "escalation.seen"]
    assert process.witness.of_another_log == others
    own = [seen for path, seen in read_folder(tmp_path).found if path.stem == "intake"]
    assert {seen.origin for seen in own} == {OURS}
    assert not any(seen.server.numbers.get("incident") for seen in own)


def test_two_desks_that_share_a_folder_only_say_so(tmp_path: Path) -> None:
    desks = {OURS: Process(tmp_path), THEIRS: Process(tmp_path)}
    for end in 4, 8:
        for origin, desk in desks.items():
            desk.is_told(event(1, origin), origin)
            assert not desk.looks(end, origin).looks(end + 1, origin).blocked
            desk.witness.compare()
            assert not desk.looks(end + 2, origin).blocked
    assert desks[OURS].witness.of_another_log == [tmp_path / "intake-2.seen"]
    assert desks[THEIRS].witness.of_another_log == [tmp_path / "intake.seen"]


def test_what_nats_has_seen_of_another_log_stops_all_whatever_files_say(
    tmp_path: Path,
) -> None:
    process = Process(tmp_path, "escalation").looks(1000, THEIRS)
    for _ in range(2):  # the second time its own file says the same as NATS
        process = Process(tmp_path)
        process.is_told(event(3))
        assert not process.looks(3).blocked
        process.witness.compare()
        assert not process.looks(3).blocked
    process.is_told(event(9, THEIRS), THEIRS)

    assert process.looks(4).blocked


def test_what_is_kept_of_this_log_is_not_hidden_by_what_goes_further_in_another(
    tmp_path: Path,
) -> None:
    """Only the former is put into NATS."""
    process = Process(tmp_path, "escalation").looks(1000, THEIRS)
    del process
    process = Process(tmp_path)
    process.is_told(GONE)

    assert process.looks(20).blocked
    evidence = process.continuity.contradiction
    assert evidence
    assert evidence.mark == GONE


def test_an_empty_log_is_the_one_that_was_seen_restored_to_nothing(
    tmp_path: Path,
) -> None:
    for service in "intake", "escalation":
        process = Process(tmp_path, service).looks(7)
        del process
    process = Process(tmp_path).looks(0, EMPTY)
    assert process.blocked
    evidence = process.continuity.contradiction
    assert evidence
    assert not process.continuity.is_of_another_log(evidence), "it is put into NATS"

    assert not process.looks(1, THEIRS, EpochId(2, "aa"), restored=2).blocked
    process.looks(2, THEIRS, EpochId(2, "aa"), restored=2)
    del process
    process = Process(tmp_path).looks(2, THEIRS, EpochId(2, "aa"), restored=2)
    assert not process.blocked
    assert process.witness.of_another_log == []


def test_the_first_event_of_a_log_names_it(tmp_path: Path) -> None:
    process = Process(tmp_path).looks(0, EMPTY)
    process.continuity._last = event(1)  # committed
    process.witness.keep()
    process.looks(1)

    assert {seen.origin for _, seen in read_folder(tmp_path).found} == {EMPTY, OURS}


def a_file(folder: Path) -> None:
    (folder / "intake.seen").unlink()


def a_folder(folder: Path) -> None:
    shutil.rmtree(folder)


def a_file_that_is_replaced(folder: Path) -> None:
    (folder / "new").write_bytes(b"")
    (folder / "new").rename(folder / "intake.seen")


@pytest.mark.parametrize("loses", [a_file, a_folder, a_file_that_is_replaced])
def test_a_file_that_was_deleted_is_written_again_at_once(
    tmp_path: Path, loses: Callable[[Path], None]
) -> None:
    folder = tmp_path / "state"
    process = Process(folder).looks(7)
    loses(folder)

    process.witness.compare()

    assert [seen.position for _, seen in read_folder(folder).found] == [7]
    process.looks(8)
    assert {seen.position for _, seen in read_folder(folder).found} == {7, 8}


def test_a_folder_that_became_something_else_is_an_alarm(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    process = Process(folder).looks(7)
    folder.rename(tmp_path / "moved")
    folder.symlink_to(folder)

    process.witness.compare()
    assert not process.witness.keeps
    assert str(folder) in process.witness.failure

    folder.unlink()
    process.witness.open()
    assert process.witness.compare()
    assert not process.witness.failure


def test_a_pipe_is_not_waited_for_and_a_file_that_vanishes_says_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "pipe.seen")
    kept = read_folder(tmp_path)
    assert kept == Kept([], [f"{tmp_path / 'pipe.seen'}: is not a regular file"])

    monkeypatch.setattr(Path, "iterdir", lambda _: iter([tmp_path / "gone.seen"]))
    assert read_folder(tmp_path) == Kept([], [])
