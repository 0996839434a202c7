"""Pages follow what happens: one stream for all tabs, and only what concerns them."""

from collections.abc import Callable
from contextlib import closing
from functools import partial
from random import Random
from time import monotonic
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page, Request, expect

from tests.e2e.browser.conftest import Look
from tests.e2e.browser.shown.commands import commanded
from tests.support.desks.running import Desk
from tests.support.patience import until

TABS = 7
"""One more than the connections that a browser opens to one place."""
STEPS = 10
COUNTS_SECONDS = 10
"""A queue asks again this late for its counts alone, as page.js says."""
HIDE = """
Object.defineProperty(document, "hidden", { value: %s, configurable: true });
document.dispatchEvent(new Event("visibilitychange"));
"""


def opened(desk: Desk, title: str, service: str = "mail") -> str:
    return commanded(desk, "", title=title, service=service, impact="low")


def renewals(page: Page) -> list[int]:
    """Return the positions as of which the page asks for itself again, as it does."""
    found: list[int] = []

    def noted(request: Request) -> None:
        asked = parse_qs(urlsplit(request.url).query)
        if request.resource_type == "fetch" and "min_position" in asked:
            found.append(int(asked["min_position"][0]))

    page.on("request", noted)
    return found


def streams(page: Page) -> list[str]:
    """Return the streams that the page opens, as it does."""
    found: list[str] = []

    def noted(request: Request) -> None:
        if "/v1/stream" in request.url:
            found.append(request.url)

    page.on("request", noted)
    return found


def test_seven_tabs_share_one_stream_and_the_next_one_goes_on_with_it(
    desk: Desk, look: Look
) -> None:
    ref = opened(desk, "Tabs")
    first = look(f"/incidents/{ref}")
    others = [first.context.new_page() for _ in range(TABS - 1)]
    listens = [streams(each) for each in others]
    for each in others:
        each.goto(f"{desk.api_url}/incidents/{ref}")
        expect(each.locator("#feed")).to_have_class("feed is-live")
    commanded(desk, f"/{ref}/note", note="Told to all tabs.")
    for each in (first, *others):
        expect(each.locator("#live")).to_contain_text("Told to all tabs.")
    by_first = sum(map(len, listens))

    first.evaluate(HIDE % "true")
    until(lambda: _waits(others[0], lambda: sum(map(len, listens)) == 1), "one goes on")
    commanded(desk, f"/{ref}/note", note="Told by the next.")
    for each in others:
        expect(each.locator("#live")).to_contain_text("Told by the next.")
    expect(first.locator("#live")).not_to_contain_text("Told by the next.")
    first.evaluate(HIDE % "false")
    expect(first.locator("#live")).to_contain_text("Told by the next.")

    assert by_first == 0
    assert sum(map(len, listens)) == 1


def head(desk: Desk) -> int:
    """Return the last position of the log."""
    with closing(desk.log()) as log:
        return log.head().position


def _waits(page: Page, holds: Callable[[], bool]) -> bool:
    page.evaluate("0")  # lets events of the browser arrive
    return holds()


def test_pages_ask_again_only_about_what_concerns_them(desk: Desk, look: Look) -> None:
    mine, other = opened(desk, "Mine"), opened(desk, "Other", "web")
    incident, queue = (
        look(f"/incidents/{mine}"),
        look("/?service=mail&order=reported_at"),
    )
    of_incident, of_queue, began = renewals(incident), renewals(queue), monotonic()
    opened(desk, "Elsewhere", "web")
    commanded(desk, f"/{other}/note", note="About another one.")
    before = head(desk)
    commanded(desk, f"/{mine}/classify", service="mail", category="hardware")
    expect(incident.locator("#live")).to_contain_text("hardware")
    version = incident.locator("input[name=version]").first.get_attribute("value")
    expect(queue.locator(f"tr[data-ref={mine}]")).to_have_attribute(
        "data-version", str(version)
    )

    assert 1 <= len(of_incident) <= len({*of_incident}) + 1
    assert min(of_incident) > before
    for_counts = int((monotonic() - began) // COUNTS_SECONDS)
    assert len({*of_queue}) <= 2 + for_counts


def test_after_any_series_of_events_a_page_is_as_a_fresh_one(
    desk: Desk, look: Look
) -> None:
    random, service = Random(7), "unknown"  # noqa: S311 # it decides what is tried
    refs = [opened(desk, f"Series {number}", service) for number in range(3)]
    queue, incident = look(f"/?service={service}"), look(f"/incidents/{refs[0]}")
    acts: dict[str, dict[str, str]] = {
        "note": {"note": "Note {}."},
        "inform": {"message": "We are at it."},
        "classify": {"service": service, "category": "hardware"},
        "edit": {"title": "Title {}"},
        "link": {"relation": "related", "target": refs[-1]},
    }
    for step in range(STEPS):
        verb, ref = random.choice(sorted(acts)), random.choice(refs[:2])
        given = {name: value.format(step) for name, value in acts[verb].items()}
        commanded(desk, f"/{ref}/{verb}", **given)
    commanded(desk, f"/{refs[0]}/acknowledge")
    commanded(desk, f"/{refs[2]}/classify", service="web")

    for page in (queue, incident):
        until(partial(_is_as_fresh, page, page.context.new_page()), page.url)


def _is_as_fresh(page: Page, fresh: Page) -> bool:
    fresh.goto(page.url)
    fresh.locator("#live").wait_for()
    return page.inner_text("#live") == fresh.inner_text("#live")
