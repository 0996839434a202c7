"""Barriers in a page: what axe-core finds, and how it is read and passed through.

axe-core is asked for WCAG 2.2 AA and its best practices.
"""

import re
from collections.abc import Mapping
from itertools import pairwise

from axe_playwright_python.base import AXE_SCRIPT  # type: ignore[import-untyped] # it has no types
from playwright.sync_api import Page

_RULES = {
    "runOnly": [
        "wcag2a",
        "wcag2aa",
        "wcag21a",
        "wcag21aa",
        "wcag22aa",
        "best-practice",
    ],
    "resultTypes": ["violations"],
    "preload": False,
}
_CONTRAST = {
    "runOnly": {"type": "rule", "values": ["color-contrast"]},
    "resultTypes": ["violations"],
    "preload": False,
}
_RUN = """async (rules) => {
    const { violations } = await axe.run(rules);
    return violations.flatMap((each) =>
        each.nodes.map((node) => `${each.id}: ${node.target.join(" ")}`));
}"""


def barriers(page: Page) -> list[str]:
    """Return what is wrong, each as a rule and the element that breaks it."""
    return _violations(page, _RULES)


def poor_contrasts(page: Page) -> list[str]:
    """Return the elements whose colours differ too little, as `barriers` does.

    The colours of a page are all that light and dark change.
    """
    return _violations(page, _CONTRAST)


def _violations(page: Page, rules: Mapping[str, object]) -> list[str]:
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    found: list[str] = page.evaluate(_RUN, rules)
    return found


_OUTLINED = (
    "banner",
    "navigation",
    "search",
    "main",
    "region",
    "contentinfo",
    "dialog",
    "heading",
    "form",
    "table",
    "alert",
    "status",
)
_LINE = re.compile(r"( *)- (?:'|)(\w+)( \"(?:[^\"\\]|\\.)*\")?( \[level=\d\])?")
_OWN = '"Saved views"'
"""What is there depends on who looks."""
_VARIABLE = (
    (r"\b(INC|PRB|CHG)-\d+(-E\d+)?", r"\1-…"),
    (r"\b[A-Z][a-z]+day \d+ [A-Z][a-z]+ \d{4}\b", "…"),  # a page may begin this month
    (r"\d+", "…"),
)
"""Which numbers there are depends on the tests that ran before."""


def outline(page: Page) -> str:
    """Return the landmarks and headings in the order in which they are read.

    A line each; what is in another is indented; numbers are left out.
    """
    shown: list[str] = []
    above: list[int] = []
    for line in page.locator("body").aria_snapshot().splitlines():
        found = _LINE.match(line)
        if not found or found[2] not in _OUTLINED or _OWN in line:
            continue
        while above and above[-1] >= len(found[1]):
            above.pop()
        name = found[3] or ""
        for pattern, instead in _VARIABLE:
            name = re.sub(pattern, instead, name)
        text = f"{'  ' * len(above)}{found[2]}{name}{found[4] or ''}"
        above.append(len(found[1]))
        if not shown or shown[-1] != text:
            shown.append(text)
    return "\n".join(shown) + "\n"


_LISTEN = """() => {
    const all = [...document.querySelectorAll(
        "a[href], button, input, select, textarea, summary, [tabindex]")];
    const inside = document.querySelector("dialog[open]") ?? document;
    const isOf = (one) => inside.contains(one) && one.checkVisibility({
        visibilityProperty: true, contentVisibilityAuto: true })
        && !one.disabled && one.tabIndex >= 0 && one.type !== "hidden";
    const isPassed = (one) => one.type !== "radio" || one.checked
        || !inside.querySelector(`input[name="${one.name}"]:checked`)
        && one === inside.querySelector(`input[name="${one.name}"]`);
    window.wanted = all.filter((one) => isOf(one) && isPassed(one));
    window.reached = [];
    document.addEventListener("focusin", (event) => window.reached.push(event.target));
    if (inside === document) {
        document.body.tabIndex = -1;
        document.body.focus();
        document.body.removeAttribute("tabindex");
    }
    window.reached = inside === document ? [] : [document.activeElement];
    return window.wanted.length;
}"""
_REACHED = """() => {
    const words = (one) => one.id || one.name || one.textContent.trim();
    const name = (one) => `${one.tagName} ${words(one)}`;
    const places = window.wanted.map((one) => {
        const box = one.getBoundingClientRect();
        const floats = (each) =>
            ["fixed", "sticky"].includes(getComputedStyle(each).position);
        let above = one;
        while (above && !floats(above)) above = above.parentElement;
        return above ? null : Math.round(box.bottom + scrollY);
    });
    return {
        wanted: window.wanted.map(name),
        reached: window.reached.slice(0, window.wanted.length).map(name),
        places,
    };
}"""
_LEVEL = 14
"""Controls whose lower edges differ by this much are beside each other."""


_PARTS = 8
"""How many keys a field for a date and a time takes."""


def passed_through(page: Page) -> list[str]:
    """Return what is wrong with the way from control to control by the Tab key.

    Each is reached, in the order in which it is read.
    """
    number = page.evaluate(_LISTEN)
    for _ in range(number):
        page.keyboard.press("Tab")
    for _ in range(number * _PARTS):  # a control of several parts takes several keys
        if page.evaluate("window.reached.length >= window.wanted.length"):
            break
        page.keyboard.press("Tab")
    found = page.evaluate(_REACHED)
    wrong = [
        f"{wanted!r} is next, and {reached!r} was reached"
        for wanted, reached in zip(found["wanted"], found["reached"], strict=False)
        if wanted != reached
    ]
    missing = found["wanted"][len(found["reached"]) :]
    return [*wrong[:3], *(f"{name!r} cannot be reached" for name in missing)]


def out_of_order(page: Page) -> list[str]:
    """Return the controls that are shown above one that is read before them.

    Of a page of one column; what floats above the page is left out.
    """
    page.evaluate(_LISTEN)
    found = page.evaluate(_REACHED)
    shown = [
        (name, place)
        for name, place in zip(found["wanted"], found["places"], strict=True)
        if place is not None
    ]
    return [
        f"{name!r} is shown above {before!r}"
        for (before, upper), (name, place) in pairwise(shown)
        if place < upper - _LEVEL
    ]


_OVERFLOWING = """() => {
    const wide = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= wide) return [];
    const all = [...document.querySelectorAll("body *")];
    const wider = all.filter((one) => one.getBoundingClientRect().right > wide)
        .map((one) => `${one.tagName} ${one.id || one.name || one.className}`)
        .slice(0, 12);
    return wider.length ? wider : ["the page, by its text"];
}"""


def overflowing(page: Page) -> list[str]:
    """Return what makes the page wider than its window: it would scroll sideways."""
    found: list[str] = page.evaluate(_OVERFLOWING)
    return found
