"""The pictures of the pages are those that `make screenshots` takes, and few bytes."""

from docs.generate.screenshots import BYTES_MAX, IMAGES, PICTURES
from tests.docs.pages import DOCS


def test_each_picture_is_taken_by_the_command_and_shown_on_a_page() -> None:
    taken = {f"{picture.name}.png" for picture in PICTURES}
    pages = "".join(page.read_text(encoding="utf-8") for page in DOCS.rglob("*.md"))

    assert {file.name for file in IMAGES.iterdir()} == taken
    assert [name for name in taken if f"images/{name})" not in pages] == []


def test_a_picture_is_not_heavier_than_the_page_around_it() -> None:
    heavy = [file.name for file in IMAGES.iterdir() if file.stat().st_size > BYTES_MAX]

    assert heavy == []
