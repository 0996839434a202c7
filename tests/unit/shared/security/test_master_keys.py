"""Several master keys in one file: the first wraps, all open, the file may change."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap

from shared.vault.master_keys import KEYS_MAX, MasterKeys, UnusableMasterKeys, text_of

OLD, NEW, KEY = bytes(32), bytes(range(32)), b"k" * 32


def keys_in(file: Path, *keys: bytes) -> MasterKeys:
    file.write_text(text_of(keys))
    return MasterKeys.read(file)


def test_the_first_wraps_and_every_one_opens() -> None:
    former = MasterKeys([OLD]).wrap(KEY)
    both = MasterKeys([NEW, OLD])

    assert both.unwrap(former) == both.unwrap(both.wrap(KEY)) == KEY
    assert not both.is_current(former)
    assert both.is_current(both.wrap(KEY))
    with pytest.raises(InvalidUnwrap):
        MasterKeys([OLD]).unwrap(both.wrap(KEY))


def test_a_file_that_changed_is_read_again(tmp_path: Path) -> None:
    """By a service that runs: for what it cannot open, and before it wraps or signs."""
    file = tmp_path / "vault.key"
    held = [keys_in(file, OLD) for _ in range(3)]
    both = keys_in(file, NEW, OLD)

    assert held[0].unwrap(both.wrap(KEY)) == KEY
    assert both.is_current(held[1].wrap(KEY))
    assert held[2].derived("links") == [*MasterKeys([NEW, OLD]).derived("links")]


def test_a_file_that_cannot_be_read_any_more_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "vault.key"
    held = keys_in(file, OLD)
    file.write_text("half of a k")

    assert held.unwrap(MasterKeys([OLD]).wrap(KEY)) == KEY
    assert MasterKeys([OLD]).is_current(held.wrap(KEY))
    file.unlink()
    assert MasterKeys([OLD]).is_current(held.wrap(KEY))


@pytest.mark.parametrize("between", ["\n", " ", "\r\n", "\n\n"])
def test_keys_are_apart_by_blanks(tmp_path: Path, between: str) -> None:
    file = tmp_path / "vault.key"
    file.write_text(between.join(text_of([NEW, OLD]).split()))

    assert list(MasterKeys.read(file).keys) == [NEW, OLD]


def test_more_keys_than_rotations_anybody_began_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableMasterKeys, match="does not hold a master key"):
        keys_in(tmp_path / "vault.key", *[NEW] * (KEYS_MAX + 1))


def test_what_was_signed_before_a_rotation_is_verified_until_it_is_finished() -> None:
    (signed,) = MasterKeys([OLD]).derived("links")

    assert signed in MasterKeys([NEW, OLD]).derived("links")
    assert signed not in MasterKeys([NEW]).derived("links")
    assert signed not in MasterKeys([OLD]).derived("other")
