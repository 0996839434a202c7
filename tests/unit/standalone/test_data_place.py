"""Where the data lies if the account of PostgreSQL cannot reach the chosen folder."""

import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from standalone.folder import Account, blocked_at, linked, only_one, open_home
from standalone.startup_error import Exit, StartupError
from tests.support.compose import ROOT
from tests.support.folders import reachable_folder

STRANGER = Account("stranger", os.getuid() + 1, os.getgid() + 1)


@dataclass(frozen=True)
class Scene:
    """A checkout that a stranger cannot pass, and a place that a stranger can."""

    checkout: Path
    place: Path

    def opened(self, name: str = ".permanence") -> Path:
        """Open a home in the checkout, for a server that runs as the stranger."""
        return open_home(self.checkout / name, STRANGER, [self.place])


@pytest.fixture
def scene() -> Iterator[Scene]:
    with reachable_folder() as above:
        if wall := blocked_at(above, STRANGER):
            pytest.skip(f"nobody else may pass {wall}")
        checkout = above / "checkout"
        checkout.mkdir(mode=0o700)
        yield Scene(checkout, above / "place")


def test_a_folder_out_of_reach_becomes_a_link(scene: Scene) -> None:
    home = scene.opened()

    assert blocked_at(home, STRANGER) is None
    assert home.parent == scene.place
    assert (scene.checkout / ".permanence").resolve() == home
    assert f"{home}" in linked(scene.checkout / ".permanence")


def test_the_closed_folder_stays_closed(scene: Scene) -> None:
    scene.opened()

    assert stat.S_IMODE(scene.checkout.stat().st_mode) == 0o700


def test_the_next_start_finds_it_again(scene: Scene) -> None:
    assert scene.opened() == scene.opened()
    assert len(list(scene.place.iterdir())) == 1


def test_two_checkouts_of_one_name_share_nothing(scene: Scene) -> None:
    first = scene.opened()
    (scene.checkout / ".permanence").unlink()

    assert scene.opened() != first


def test_a_demo_and_a_desk_of_one_checkout_lie_together(scene: Scene) -> None:
    demo = scene.opened(".permanence/demo")

    assert demo == scene.opened() / "demo"


def test_what_a_failed_start_left_moves_along(scene: Scene) -> None:
    (scene.checkout / ".permanence" / "demo").mkdir(parents=True)
    (scene.checkout / ".permanence" / "demo" / "lock").touch()

    assert (scene.opened() / "demo" / "lock").is_file()


def test_a_folder_within_reach_is_no_link(scene: Scene) -> None:
    scene.checkout.chmod(0o711)

    assert scene.opened() == scene.checkout / ".permanence"
    assert not linked(scene.checkout / ".permanence")
    assert not scene.place.exists()


def test_what_we_make_can_be_passed_whatever_the_umask(scene: Scene) -> None:
    scene.checkout.chmod(0o711)
    umask = os.umask(0o077)
    try:
        home = scene.opened("deep/inside")
    finally:
        os.umask(umask)

    assert blocked_at(home, STRANGER) is None


def test_data_that_is_there_is_not_moved(scene: Scene) -> None:
    (scene.checkout / ".permanence" / "postgres").mkdir(parents=True)

    with pytest.raises(StartupError, match=f"may not pass {scene.checkout}") as told:
        scene.opened()

    assert told.value.code == Exit.FOLDER
    assert not (scene.checkout / ".permanence").is_symlink()


def test_other_things_are_neither_moved_nor_linked(scene: Scene) -> None:
    letters = scene.checkout / "letters"
    letters.mkdir()
    (letters / "dear-zoe.txt").touch()

    with pytest.raises(StartupError, match="holds other things"):
        scene.opened("letters")

    assert (letters / "dear-zoe.txt").is_file()
    assert not letters.is_symlink()


def test_the_home_of_a_desk_that_runs_is_not_moved(scene: Scene) -> None:
    home = scene.checkout / ".permanence"
    home.mkdir()
    with only_one(home):
        scene.opened()

    assert not home.is_symlink()


def test_a_link_whose_data_has_gone_is_not_a_new_desk(scene: Scene) -> None:
    shutil.rmtree(scene.opened())

    with pytest.raises(StartupError, match="put it back, or remove the link") as told:
        scene.opened()

    assert told.value.code == Exit.FOLDER


def test_a_place_where_others_could_put_a_folder_is_not_used(scene: Scene) -> None:
    scene.place.mkdir()
    scene.place.chmod(0o777)

    with pytest.raises(StartupError, match="PERMANENCE_HOME="):
        scene.opened()


def test_make_clean_deletes_what_is_linked(scene: Scene) -> None:
    home = scene.opened()
    shutil.copy(ROOT / "Makefile", scene.checkout)

    subprocess.run(["make", "clean"], cwd=scene.checkout, check=True)

    assert not home.exists()
    assert not (scene.checkout / ".permanence").is_symlink()
