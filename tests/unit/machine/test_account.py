"""Whether the account a server runs as can reach a folder."""

import os
from pathlib import Path

import pytest

from shared.machine.account import Account, blocked_at, server_account

OWNER = Account("owner", os.getuid(), os.getgid())
STRANGER = Account("stranger", os.getuid() + 1, os.getgid() + 1)
OF_OUR_GROUP = Account("colleague", os.getuid() + 1, os.getgid())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give /…/outer/inner under a path anybody may pass, whatever pytest's own is."""
    inner = tmp_path / "outer" / "inner"
    inner.mkdir(parents=True)
    for parent in (inner, *inner.parents):
        if parent.stat().st_uid == os.getuid() and parent.is_relative_to(
            tmp_path.parents[2]
        ):
            parent.chmod(0o711)
    return inner


def test_a_folder_others_may_pass_is_reachable(folder: Path) -> None:
    assert blocked_at(folder, STRANGER) is None


def test_the_first_wall_on_the_way_is_named(folder: Path) -> None:
    folder.parent.chmod(0o700)

    assert blocked_at(folder / "data", STRANGER) == folder.parent


def test_the_folder_itself_may_be_the_wall(folder: Path) -> None:
    folder.chmod(0o700)

    assert blocked_at(folder, STRANGER) == folder


def test_its_owner_passes_a_private_folder(folder: Path) -> None:
    folder.chmod(0o700)

    assert blocked_at(folder, OWNER) is None


def test_a_group_may_be_let_in_or_kept_out(folder: Path) -> None:
    folder.chmod(0o710)
    assert blocked_at(folder, OF_OUR_GROUP) is None

    folder.chmod(0o701)
    assert blocked_at(folder, OF_OUR_GROUP) == folder


def test_nothing_blocks_who_does_not_change_account(folder: Path) -> None:
    folder.chmod(0o700)

    assert blocked_at(folder, None) is None


def test_only_root_drops_to_another_account() -> None:
    account = server_account()

    assert (account is None) == (os.geteuid() != 0)
    assert account is None or account.uid != 0
