"""A person looks at the desk in a browser: the queue lives, the timeline is told."""

from collections.abc import Callable, Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import running_browser
from tests.support.desk import Desk, running_desk
from tests.support.patience import SECONDS
from tests.support.servers import reachable_folder

pytestmark = pytest.mark.e2e

HOSTILE = "<script>document.title='owned'</script>\"'&amp; \u202eتوقف الخادم"
Look = Callable[..., Page]
expect.set_options(timeout=20_000)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def desk(browser: Browser) -> Iterator[Desk]:
    assert browser.is_connected()  # without one no desk need be started
    with reachable_folder() as folder, running_desk(folder) as desk:
        yield desk


@pytest.fixture
def look(browser: Browser, desk: Desk) -> Iterator[Look]:
    """Return what opens a page as an agent; the page must have no error at the end."""
    pages: list[Page] = []
    errors: list[str] = []

    def look(path: str = "/", *, signed_in: bool = True, **how: object) -> Page:
        context = browser.new_context(
            **{"locale": "en-GB", "timezone_id": "Europe/Paris", **how}  # type: ignore[arg-type] # as playwright takes it
        )
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on(
            "console",
            lambda said: errors.append(said.text) if "Policy" in said.text else None,
        )
        pages.append(page)
        page.goto(f"{desk.api_url}{path}")
        if signed_in:
            page.get_by_label("Token", exact=True).or_(page.get_by_label("Jeton")).fill(
                desk.tokens["agent"]
            )
            page.locator("main button").click()
            page.wait_for_selector("#feed.is-live")
        return page

    yield look
    for page in pages:
        page.context.close()
    assert errors == []


def happened(desk: Desk, path: str, **body: str) -> str:
    """Command something over HTTP; return the incident."""
    answer = httpx.post(
        f"{desk.api_url}/v1/incidents{path}",
        json=body,
        headers=desk.bearer("agent"),
        timeout=SECONDS,
    )
    assert answer.is_success, answer.text
    return str(answer.json()["incident"])


def opened(desk: Desk, title: str) -> str:
    return happened(desk, "", title=title, service="mail", impact="high", urgency="low")


def test_who_signs_in_sees_the_queue_and_what_is_new_without_a_reload(
    desk: Desk, look: Look
) -> None:
    before = opened(desk, "Mail is slow")
    page = look()
    expect(page.locator(f"#{before}")).to_have_text("Mail is slow")
    page.evaluate("window.stayed = true")

    ref = opened(desk, "Mail is down")
    expect(page.locator(f"#{ref}")).to_have_text("Mail is down")
    row = page.locator("tr", has=page.locator(f"#{ref}"))
    expect(row.locator(".status")).to_have_text("acknowledged")
    happened(desk, f"/{ref}/pause", reason="vendor")
    expect(row.locator(".status")).to_have_text("paused")
    expect(row.locator(".of-team small")).to_have_text("nadia")

    assert page.evaluate("window.stayed") is True


def test_a_row_leads_to_a_timeline_that_grows_in_english_and_in_french(
    desk: Desk, look: Look
) -> None:
    ref = opened(desk, "Nobody can send mail")
    page = look()
    page.locator(f"#{ref}").click()
    timeline = page.locator(".timeline")
    expect(timeline).to_contain_text("nadia opened the incident “Nobody can send mail”")
    page.wait_for_selector("#feed.is-live")

    happened(desk, f"/{ref}/pause", reason="user", question="Since when?")
    expect(timeline).to_contain_text("nadia paused it, waiting for the user")

    page.get_by_title("Français").click()
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    expect(page.locator(".status")).to_have_text("en attente")
    expect(timeline).to_contain_text("nadia l’a mis en attente (utilisateur)")
    page.locator(".back a").click()
    expect(page.get_by_role("button")).to_have_text("Se déconnecter")


def test_a_hostile_title_is_text(desk: Desk, look: Look) -> None:
    ref = opened(desk, HOSTILE)
    page = look()

    expect(page.locator(f"#{ref} bdi")).to_have_text(HOSTILE)
    later = opened(desk, f"{HOSTILE} again")
    expect(page.locator(f"#{later} bdi")).to_have_text(f"{HOSTILE} again")
    page.locator(f"#{ref}").click()
    expect(page.locator("h1")).to_have_text(HOSTILE)
    expect(page).to_have_title(f"{ref} · Permanence")
    assert page.locator("script").count() == 1


@pytest.mark.parametrize(("scheme", "is_dark"), [("light", False), ("dark", True)])
def test_it_is_light_by_day_and_dark_by_night(
    desk: Desk, look: Look, scheme: str, is_dark: bool
) -> None:
    opened(desk, "The lamp is out")
    page = look(color_scheme=scheme)

    for part in ("body", ".rows"):
        colour = page.locator(part).evaluate("e => getComputedStyle(e).backgroundColor")
        parts = [int(one) for one in colour.strip("rgb()").split(", ")]
        assert (sum(parts) < 3 * 128) is is_dark


def test_it_fits_a_telephone(desk: Desk, look: Look) -> None:
    ref = opened(desk, "Long" * 40)
    page = look(viewport={"width": 390, "height": 844}, locale="fr-FR")
    for _ in ("queue", "incident"):
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 390
        page.goto(f"{desk.api_url}/incidents/{ref}")


@pytest.mark.parametrize("locale", ["en-GB", "fr-FR"])
def test_on_a_telephone_nobody_is_not_broken_over_two_lines(
    desk: Desk, look: Look, locale: str
) -> None:
    ref = opened(desk, "Short")
    page = look(viewport={"width": 390, "height": 844}, locale=locale)
    team = page.locator(f"tr[data-ref={ref}] .of-team")

    for name in ("mail", "network", "service-desk", "infrastructure"):
        assert team.evaluate(_LINES_OF_WHO, name) == 1


def test_on_a_narrow_telephone_no_word_lies_over_another(
    desk: Desk, look: Look
) -> None:
    ref = opened(desk, "Narrow")
    page = look(viewport={"width": 320, "height": 640}, locale="fr-FR")
    row = page.locator(f"tr[data-ref={ref}]")

    assert row.evaluate(_STATUS_LIES_OVER_TEAM) is False


_LINES_OF_WHO = """(cell, name) => {
    cell.firstChild.data = `${name} `;
    const words = document.createRange();
    words.selectNodeContents(cell.querySelector("small"));
    return new Set([...words.getClientRects()].map(line => line.top)).size;
}"""
_STATUS_LIES_OVER_TEAM = """row => {
    const status = row.querySelector(".status").getBoundingClientRect()
    const team = document.createRange()
    team.selectNodeContents(row.querySelector(".of-team"))
    return [...team.getClientRects()].some(each => each.left < status.right
        && each.top < status.bottom && each.bottom > status.top)
}"""


def test_a_wrong_token_is_told_so_and_who_signs_out_is_out(
    desk: Desk, look: Look
) -> None:
    page = look("/", signed_in=False)
    page.get_by_label("Token", exact=True).fill("pmn_wrong")
    page.get_by_role("button").click()
    expect(page.get_by_role("alert")).to_contain_text("unknown, expired or revoked")

    page = look()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading")).to_have_text("Sign in")
    page.goto(f"{desk.api_url}/")
    expect(page.get_by_role("heading")).to_have_text("Sign in")


def test_it_is_read_without_a_script(desk: Desk, browser: Browser) -> None:
    ref = opened(desk, "No script")
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(f"{desk.api_url}/incidents/{ref}")
    page.fill("#token", desk.tokens["agent"])
    page.click("main button")

    expect(page.locator("h1")).to_have_text("No script")
    expect(page.locator(".zone")).to_contain_text("All times: ")
    page.context.close()


def test_the_description_of_the_api_is_drawn_under_its_content_policy(
    look: Look,
) -> None:
    page = look("/docs", signed_in=False)

    expect(page.get_by_text("/v1/queues", exact=True).first).to_be_visible()
