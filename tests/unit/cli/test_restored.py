"""`permanence restored` where it is not told of which desk it is about."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.app import command_line
from cli.restored import _kept
from shared.eventlog.continuity.check import Continuity
from shared.eventlog.continuity.evidence import (
    FIRST,
    EpochId,
    Evidence,
    Kind,
    Mark,
    Numbers,
)
from shared.eventlog.continuity.last_seen import (
    UNKNOWN_SERVER,
    LastSeen,
    combined,
    of_word,
    seen_at,
)
from shared.eventlog.continuity.witness import Witness
from standalone.folder import Run, witness_folder, write_run

RESTORED = ("restored", "--reason", "a test", "--by", "root", "--home")
NO_DATABASE = "postgresql://desk_admin:x@127.0.0.1:1/permanence"
HASH = "0" * 64
OUTSIDE = {"DATABASE_URL": None, "NATS_URL": None, "PERMANENCE_STATE_DIR": None}


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


@pytest.mark.parametrize("here", [True, False])
def test_what_services_have_seen_counts_only_for_their_own_database(
    tmp_path: Path, here: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be called in the folder of one desk about the database of another."""
    monkeypatch.setattr("shared.messaging.connection.GIVE_UP_SECONDS", 0.1)
    own = NO_DATABASE.replace(":1/", ":1/" if here else ":2/")
    run = Run("", "", "nats://127.0.0.1:1", own, "", "", {})
    write_run(tmp_path, run)
    (witness_folder(tmp_path) / "intake.seen").mkdir(parents=True)
    said_of = (*RESTORED, f"{tmp_path}", "--database", NO_DATABASE)

    code, words = said(*said_of)
    assert code == (3 if here else 2)
    assert ("intake.seen: is not a regular file" in words) == here
    assert ("is left out: they cannot be compared" in words) != here
    assert ("set NATS_URL" in words) != here


def test_what_cannot_be_read_is_mentioned_and_hides_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "intake.seen").mkdir()
    witness, other = Witness(tmp_path, "escalation"), Continuity()
    witness.begin(other)
    other._last = Mark(9, bytes(32))
    witness.keep()

    assert [seen.position for seen in _kept(tmp_path)] == [9]
    assert "intake.seen: is not a regular file" in capsys.readouterr().err


def test_an_address_that_is_none_is_said_to_be_so(tmp_path: Path) -> None:
    here = (*RESTORED, f"{tmp_path}", "--database", NO_DATABASE)
    code, words = said(*here, "--nats", "http://nowhere")
    assert code == 2
    assert "write nats://" in words


@pytest.mark.parametrize(
    "word",
    [
        "",
        "4",
        "1:4:rubbish::0,0,0",
        f"x:4:{HASH}::0,0,0",
        f"1:4:{HASH}",
        f"1:4:{HASH}:rubbish:0,0,0",
        f"1:4:{HASH}::0,0",
        f"1:4:{HASH}::-1,0,0",
    ],
)
def test_what_health_has_not_named_is_refused(tmp_path: Path, word: str) -> None:
    here = (*RESTORED, f"{tmp_path}", "--database", NO_DATABASE)
    code, words = said(*here, "--seen", word)
    assert code == 2
    assert "copy it whole" in words


@pytest.mark.parametrize("epoch", [FIRST, EpochId(2, "5f3a09c1")])
def test_what_health_names_is_read_as_it_was_written(epoch: EpochId) -> None:
    numbers: Numbers = {"incident": 7, "problem": 2, "change": 0}
    evidence = Evidence(Mark(14, bytes(32)), epoch, "NATS", "5f3a09c15f3a09c1", numbers)
    assert of_word(evidence.written).evidence("NATS") == evidence


def test_what_is_known_together_is_the_furthest_with_the_highest_numbers() -> None:
    def seen(epoch: int, position: int, numbers: dict[Kind, int]) -> LastSeen:
        server = UNKNOWN_SERVER.model_copy(update={"numbers": numbers})
        mark, token = Mark(position, bytes(32)), "5f3a09c1" if epoch > 1 else ""
        return seen_at(mark, EpochId(epoch, token), server)

    known = combined(
        [
            seen(1, 14, {"incident": 7, "problem": 2}),
            seen(2, 9, {"incident": 3}),
            seen(1, 20, {"change": 1}),
        ]
    )

    assert known
    assert known.end == (2, 9)
    assert known.server.numbers == {"incident": 7, "problem": 2, "change": 1}
    assert combined([]) is None
