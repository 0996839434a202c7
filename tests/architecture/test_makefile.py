"""The Makefile explains itself and holds the words the documents use."""

import os
import re
import subprocess
from pathlib import Path

from tests.support.compose import ROOT

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^\.PHONY: (\w+)$", MAKEFILE, re.MULTILINE))
PROMISED = {"setup", "up", "down", "check", "test", "faults", "bench", "clean", "help"}


def test_help_names_every_target_with_what_it_does() -> None:
    shown = subprocess.run(
        ["make"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout

    assert PROMISED <= TARGETS
    listed = dict(re.findall(r"^  (\w+) +(\S.+)$", shown, re.MULTILINE))
    assert set(listed) == TARGETS


def test_clean_deletes_no_desk_while_another_is_named(tmp_path: Path) -> None:
    named = {**os.environ, "PERMANENCE_HOME": str(tmp_path)}

    refused = subprocess.run(
        ["make", "clean"],
        cwd=ROOT,
        env=named,
        capture_output=True,
        text=True,
        check=False,
    )

    assert refused.returncode != 0
    assert str(tmp_path) in refused.stderr
    assert "unset it" in refused.stderr


def test_every_folder_of_tests_is_run_by_make_test() -> None:
    fast = re.search(r"^FAST := (.+)$", MAKEFILE, re.MULTILINE)
    assert fast
    for folder in fast[1].split():
        assert (ROOT / folder).is_dir(), folder
