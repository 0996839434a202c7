"""Every page says what kind it is, can be found, and leads nowhere that is not."""

import re

import pytest

from tests.docs.pages import DOCS, ROOT, Page, pages

KINDS = {
    "tutorial": "*Tutorial*",
    "how-to": "*How-to*",
    "reference": "*Reference*",
    "explanation": "*Explanation*",
    "adr": "*Decision*",
}
_SECTIONS_OF_A_DECISION = ("Context", "Decision", "Consequences", "Considered")
_OUR_FILE = re.compile(r"^(?:services|shared|docs|tests|deploy|bench)/[\w./-]+$")


@pytest.mark.parametrize("folder", KINDS)
def test_a_page_of_the_docs_says_first_of_what_kind_it_is(folder: str) -> None:
    kinds = {
        path.name: path.read_text(encoding="utf-8").partition(" ")[0]
        for path in (DOCS / folder).glob("*.md")
    }

    assert set(kinds.values()) == {KINDS[folder]}, kinds


def test_a_link_leads_to_a_page_and_a_heading_that_exist() -> None:
    broken = [
        f"{page.name} links to {link}"
        for page in pages()
        for link in page.links
        if "://" not in link and not _leads_somewhere(page, link)
    ]

    assert broken == []


def _leads_somewhere(page: Page, link: str) -> bool:
    place, _, anchor = link.partition("#")
    target = (page.path.parent / place).resolve() if place else page.path
    return target.exists() and (not anchor or anchor in Page(target).anchors)


def test_a_file_that_is_named_exists() -> None:
    missing = [
        f"{page.name}: {code}"
        for page in pages()
        for code in page.code
        if _OUR_FILE.match(code) and not (ROOT / code).exists()
    ]

    assert missing == []


def test_every_page_can_be_reached_from_the_index() -> None:
    reached: set[str] = set()
    waiting = [Page(DOCS / "index.md")]
    while waiting:
        page = waiting.pop()
        if page.name in reached or not page.path.exists():
            continue
        reached.add(page.name)
        places = (link.partition("#")[0] for link in page.links if "://" not in link)
        waiting += [
            Page((page.path.parent / place).resolve())
            for place in places
            if place.endswith(".md")
        ]

    orphans = {page.name for page in pages() if page.name.startswith("docs/")} - reached
    assert not orphans


def test_the_readme_is_read_in_two_minutes() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 100


def test_a_decision_is_one_page_with_the_four_parts() -> None:
    for path in sorted((DOCS / "adr").glob("*.md")):
        text = path.read_text(encoding="utf-8")
        parts = re.findall(r"^## (.+)$", text, re.MULTILINE)
        assert tuple(parts) == _SECTIONS_OF_A_DECISION, path.name
        assert len(text.splitlines()) <= 60, path.name
        assert f"\n# {path.name[:4]} " in text, path.name


def test_decisions_are_numbered_without_a_gap_and_listed_in_that_order() -> None:
    decisions = [path.name for path in sorted((DOCS / "adr").glob("*.md"))]
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    listed = re.findall(r"^(\d+)\. \[.+\]\(adr/(.+)\)$", index, re.MULTILINE)

    assert [int(name[:4]) for name in decisions] == list(range(len(decisions)))
    # Browsers number a list from its first line, whatever the others say.
    assert listed == [(str(n), name) for n, name in enumerate(decisions) if n]
