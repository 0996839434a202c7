"""My contact methods in a browser: added, proved by a code, put in order by rules."""

from contextlib import closing
from datetime import UTC, datetime, timedelta

from playwright.sync_api import Page, ViewportSize, expect

from shared.contact_methods.codes import code_of, newest_code
from shared.contact_methods.store import channels, publish_channels
from shared.security.access import create
from shared.security.sender import seal_keys_of
from tests.e2e.browser.conftest import Look
from tests.support.desks.running import Desk

TELEPHONE: ViewportSize = {"width": 375, "height": 700}
METHODS = "section[aria-labelledby^='method-']"


def _code(desk: Desk, method: str) -> str:
    """Return the code that escalation sends."""
    with closing(desk.log()) as log, log.transaction() as cursor:
        sent = newest_code(cursor, "costa", method)
        assert sent is not None
        return code_of(seal_keys_of(log)()[0], sent)


def _add(page: Page) -> None:
    page.fill("#value", "nothing")
    page.get_by_role("button", name="Add, and send a code").click()
    expect(page.get_by_role("alert")).to_contain_text("Write an address")
    expect(page.locator("#value")).to_have_value("nothing")
    page.fill("#value", "costa@home.example")
    page.get_by_role("button", name="Add, and send a code").click()
    expect(page.locator("#done")).to_have_text("Added: a code is on its way.")


def _verify(page: Page, desk: Desk) -> None:
    own = page.locator(METHODS, has_text="co…@home.example")
    own.get_by_label("Code").fill("000000")
    own.get_by_role("button", name="Verify").click()
    expect(page.get_by_role("alert")).to_contain_text("not the code that was sent")
    own.get_by_label("Code").fill(_code(desk, "costa.1"))
    own.get_by_role("button", name="Verify").click()
    expect(page.locator("main")).to_contain_text("You can be paged.")


def _set_rules(page: Page) -> None:
    important = page.locator("fieldset", has_text="Important pages")
    important.get_by_label("co…@home.example").check()
    page.fill("#quiet-start", "22:00")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(important.get_by_label("co…@home.example")).to_be_checked()
    page.fill("#quiet-end", "07:00")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#done")).to_have_text("Saved.")
    expect(page.locator("#quiet-end")).to_have_value("07:00")


def test_a_method_is_added_verified_ordered_and_removed_on_a_telephone(
    look: Look, desk: Desk
) -> None:
    now = datetime.now(UTC) - timedelta(minutes=1)
    with closing(desk.log()) as log, log.transaction() as cursor:
        desk.tokens["costa"] = create(cursor, now, "person:costa", ["agent"]).token
    page = look("/me/contact-methods?lang=en", who="costa", viewport=TELEPHONE)
    expect(page.locator("main > .no")).to_contain_text("Nothing here is verified yet")
    expect(page.locator(f"{METHODS} h2")).to_have_text("mail co…@valmont.example")

    _add(page)
    _verify(page, desk)
    _set_rules(page)
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= TELEPHONE["width"]

    page.goto(f"{desk.api_url}/me/contact-methods?lang=fr")
    home = page.locator(METHODS, has_text="home")
    home.get_by_role("button", name="Retirer").click()
    expect(page.locator("#done")).to_have_text("Retiré.")
    expect(page.locator(METHODS)).to_have_count(1)


_STUB = """
PushManager.prototype.subscribe = async (options) => {
  window.asked = options;
  if (window.refuses) throw new DOMException("denied", "NotAllowedError");
  const keys = { p256dh: "B".repeat(87), auth: "B".repeat(22) };
  return { endpoint: `https://push.example/${"x".repeat(900)}`, keys };
};
"""


def test_a_browser_subscribes_by_a_button_if_the_desk_has_a_key(
    look: Look, desk: Desk
) -> None:
    """No push service is reached from here, so the subscription itself is a stub."""
    now = datetime.now(UTC) - timedelta(minutes=1)
    with closing(desk.log()) as log, log.transaction() as cursor:
        desk.tokens["lefevre"] = create(cursor, now, "person:lefevre", ["agent"]).token
        kinds = channels(cursor)
    page = look("/me/contact-methods?lang=en", who="lefevre")
    expect(page.locator("#subscribe")).to_have_count(0)
    with closing(desk.log()) as log, log.transaction() as cursor:
        publish_channels(cursor, [*kinds, "web_push"], "B" * 86 + "A")
    page.add_init_script(_STUB)
    page.goto(f"{desk.api_url}/me/contact-methods?lang=en")

    page.evaluate("window.refuses = true")
    page.get_by_role("button", name="Add this browser").click()
    expect(page.locator("#not-subscribed")).to_contain_text("did not subscribe")
    page.evaluate("window.refuses = false")
    page.get_by_role("button", name="Add this browser").click()
    expect(page.locator("#done")).to_have_text("Added: a code is on its way.")
    expect(page.locator(f"{METHODS} h2").last).to_have_text(
        "browser notification push.example"
    )
    scopes = page.evaluate(
        "navigator.serviceWorker.getRegistrations()"
        ".then((all) => all.map((each) => new URL(each.scope).pathname))"
    )
    assert scopes == ["/assets/"]
    page.locator(METHODS).last.get_by_role("button", name="Remove").click()
    expect(page.locator("#done")).to_have_text("Removed.")
    with closing(desk.log()) as log, log.transaction() as cursor:
        publish_channels(cursor, kinds)
