"""deploy/pin-images.sh pins what compose runs, and changes nothing else.

No registry is asked here: a `docker` of our own prints what the documentation of
`docker buildx imagetools inspect --format` says.
"""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.support import compose

DIGEST = "sha256:" + "0123456789abcdef" * 4
ASKED = "buildx imagetools inspect --format {{json .Manifest.Digest}}"
IMAGES = {
    name: tag
    for file in (compose.FILE, compose.TLS_FILE)
    for name, tag in compose.variables(file.read_text(encoding="utf-8")).items()
    if name.endswith("_IMAGE")
}


def pinned(folder: Path, answer: str) -> subprocess.CompletedProcess[str]:
    """Run the script with a docker that answers so to what it should be asked."""
    program = folder / "docker"
    program.write_text(
        f"#!/bin/sh\ncase \"$*\" in '{ASKED} '*) {answer};; *) exit 64;; esac\n"
    )
    program.chmod(0o755)
    return subprocess.run(
        [compose.ROOT / "deploy" / "pin-images.sh", folder / "env"],
        env={"PATH": f"{folder}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_image_is_pinned_beside_what_the_file_holds(tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_text("POSTGRES_PASSWORD=secret\nNATS_IMAGE=nats:old@sha256:1\n# mine\n")

    for _ in range(2):
        run = pinned(tmp_path, f"echo '\"{DIGEST}\"'")
        assert run.returncode == 0, run.stderr

    lines = file.read_text().splitlines()
    assert set(IMAGES) == {
        "CADDY_IMAGE",
        "NATS_IMAGE",
        "POSTGRES_IMAGE",
        "PYTHON_IMAGE",
    }
    assert lines[:2] == ["POSTGRES_PASSWORD=secret", "# mine"]
    assert sorted(lines[2:]) == sorted(
        f"{name}={tag}@{DIGEST}" for name, tag in IMAGES.items()
    )
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "answer",
    ["exit 1", "true", "echo latest", f"echo '\"{DIGEST}\"' '\"{DIGEST}\"'"],
)
def test_what_is_no_digest_is_not_written(tmp_path: Path, answer: str) -> None:
    file = tmp_path / "env"
    file.write_text("POSTGRES_PASSWORD=secret\n")

    run = pinned(tmp_path, answer)

    assert run.returncode == 1
    assert "stays as it is" in run.stderr
    assert file.read_text() == "POSTGRES_PASSWORD=secret\n"


@pytest.mark.parametrize("name", IMAGES)
def test_every_image_has_a_version_until_it_is_pinned(name: str) -> None:
    assert re.search(r":\d+\.\d+", str(IMAGES[name]))


def test_no_image_is_named_but_by_what_can_be_pinned() -> None:
    built = "permanence:0.1.0"
    for file in (compose.FILE, compose.TLS_FILE):
        for image in re.findall(r"^ +image: (\S+)$", file.read_text(), re.MULTILINE):
            assert image == built or image.startswith("${"), image
