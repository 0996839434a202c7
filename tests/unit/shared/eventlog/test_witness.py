"""What a process keeps of the log on its own disk, and reads when it starts."""

from errno import ENOLCK
from pathlib import Path

import pytest

from shared.eventlog.continuity.check import Continuity
from shared.eventlog.continuity.evidence import FIRST, Evidence, Mark
from shared.eventlog.continuity.last_seen import UNKNOWN_SERVER
from shared.eventlog.continuity.witness import Kept, Witness, read_folder


class Seen(Continuity):
    """What is known of a log, as a test says."""

    def __init__(self) -> None:
        super().__init__()
        self.known = Evidence(Mark(0, bytes(32)), FIRST, "a test")

    def remembered(self) -> Evidence:
        """Return what the test says."""
        return self.known


def kept(folder: Path, service: str, *positions: int) -> Witness:
    """Return a process that has kept these positions, one after the other."""
    continuity, witness = Seen(), Witness(folder, service)
    witness.begin(continuity)
    for position in positions:
        mark = Mark(position, bytes([position]) * 32)
        continuity.known = Evidence(mark, FIRST, "a test")
        witness.keep()
    return witness


def positions(folder: Path) -> dict[str, int]:
    """Return how far each file goes."""
    found = sorted(
        (seen.position, path.name) for path, seen in read_folder(folder).found
    )
    return {name: position for position, name in found}


def test_the_furthest_that_was_kept_is_read_at_the_next_start(tmp_path: Path) -> None:
    folder = tmp_path / "made" / "now"
    first = kept(folder, "intake", 3, 4, 5)
    del first

    (_, seen), (path, _) = read_folder(folder).found
    again = Witness(folder, "intake")
    again.begin(Continuity())

    assert again.said
    assert path == folder / "intake.seen"
    assert seen.mark == Mark(5, bytes([5]) * 32)
    assert seen.epoch_id == FIRST
    assert seen.server == UNKNOWN_SERVER


@pytest.mark.parametrize(("damaged", "left"), [(5, 4), (4, 5)])
def test_a_slot_that_was_half_written_leaves_the_other(
    tmp_path: Path, damaged: int, left: int
) -> None:
    """Also if what is there could be read: it would be evidence of no log."""
    kept(tmp_path, "intake", 3, 4, 5)
    file = tmp_path / "intake.seen"
    written, half = b'"position":%d,' % damaged, b'"position":9,'
    file.write_bytes(file.read_bytes().replace(written, half))

    assert positions(tmp_path) == {"intake.seen": left}
    # The next process writes over the damaged one first.
    kept(tmp_path, "intake", 6)
    assert sorted(positions(tmp_path).values()) == [6]


def test_each_process_has_a_file_and_compares_those_of_all(tmp_path: Path) -> None:
    processes = [kept(tmp_path, "intake", 3), kept(tmp_path, "intake", 4)]
    processes.append(kept(tmp_path, "escalation", 5))

    assert positions(tmp_path) == {
        "escalation.seen": 5,
        "intake-2.seen": 4,
        "intake.seen": 3,
    }


def test_what_is_no_file_of_a_process_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "intake.seen").write_bytes(b"rubbish")
    (tmp_path / "README").write_text("not a file of a process")

    assert read_folder(tmp_path) == Kept([], [])
    assert read_folder(tmp_path / "missing") == Kept()


def test_a_disk_that_cannot_be_written_is_said_and_stops_nothing(
    tmp_path: Path,
) -> None:
    (tmp_path / "file").write_text("no folder")

    witness = kept(tmp_path / "file", "intake", 3)

    assert not witness.keeps
    assert str(tmp_path / "file") in witness.failure


def test_a_file_that_cannot_be_opened_hides_no_other_and_is_tried_again(
    tmp_path: Path,
) -> None:
    kept(tmp_path, "escalation", 5)
    ((_, seen),) = read_folder(tmp_path).found
    elsewhere = tmp_path / "elsewhere"
    kept(elsewhere, "intake", 7)
    ((_, own),) = read_folder(elsewhere).found
    (tmp_path / "intake.seen").mkdir()

    witness, continuity = Witness(tmp_path, "intake"), Seen()
    witness.begin(continuity)
    assert witness.said
    assert continuity.misses(seen.evidence("a file"))
    assert not witness.keeps
    assert str(tmp_path / "intake.seen") in witness.failure

    (tmp_path / "intake.seen").rmdir()
    (elsewhere / "intake.seen").rename(tmp_path / "intake.seen")
    witness.open()
    assert witness.keeps
    assert continuity.misses(own.evidence("a file"))
    assert witness.compare()
    assert not witness.failure


def test_a_disk_that_cannot_lock_is_not_taken_for_a_file_that_is_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_locks(*_: object) -> None:
        raise OSError(ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", no_locks)
    witness = kept(tmp_path, "intake", 3)

    assert not witness.keeps
    assert "No locks available" in witness.failure
    assert [path.name for path in tmp_path.iterdir()] == ["intake.seen"]


def test_without_a_folder_nothing_is_kept() -> None:
    witness = Witness(None, "intake")

    witness.begin(Continuity())
    assert not witness.said
    assert not witness.keeps
    assert not witness.failure
