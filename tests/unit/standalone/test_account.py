"""Whether the account a server runs as can reach a folder."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from standalone.folder import Account, blocked_at, server_account
from tests.support.folders import reachable_folder

OWNER = Account("owner", os.getuid(), os.getgid())
STRANGER = Account("stranger", os.getuid() + 1, os.getgid() + 1)
OF_OUR_GROUP = Account("colleague", os.getuid() + 1, os.getgid())


@pytest.fixture
def folder() -> Iterator[Path]:
    """Give /…/outer/inner under a path anybody may pass; pytest's own are private."""
    with reachable_folder() as above:
        if wall := blocked_at(above, STRANGER):
            pytest.skip(f"nobody else may pass {wall}")
        inner = above / "outer" / "inner"
        for made in (inner.parent, inner):
            made.mkdir()
            made.chmod(0o711)
        yield inner


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
