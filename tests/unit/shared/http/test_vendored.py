"""Scripts of others are the files that their packages publish, with their licences."""

import tomllib
from hashlib import sha256
from pathlib import Path

import shared.web

VENDOR = Path(shared.web.__file__).parent / "vendor"
LISTED = tomllib.loads((VENDOR / "vendored.toml").read_text(encoding="utf-8"))["file"]


def test_every_vendored_file_is_listed_with_its_licence() -> None:
    files = {each.name for each in VENDOR.iterdir()} - {"vendored.toml"}

    assert files == {each[name] for each in LISTED for name in ("name", "licence_file")}


def test_every_vendored_file_is_the_one_that_was_published() -> None:
    for each in LISTED:
        assert (
            sha256((VENDOR / each["name"]).read_bytes()).hexdigest() == each["sha256"]
        )
