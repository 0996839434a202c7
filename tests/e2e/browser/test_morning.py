"""An agent's morning without a mouse: from the link in the mail to signing out.

Each act says how many keys it takes. In English on a screen, and in French on a
telephone with a keyboard.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, Page, expect

from shared.security.sender import seal_keys_of
from shared.security.sign_in_links import NewLink, create_link, newest_token_of
from tests.e2e.browser.conftest import Look
from tests.support.desks.running import Desk
from tests.support.patience import posted
from tests.support.servers.accessibility import overflowing
from tests.support.servers.browser import patient_context

_BULK_KEYS, _VIEW_KEYS, _LEAVE_KEYS = 60, 60, 30
WIDE, TELEPHONE = (1180, 700), (375, 760)
ENGLISH: Mapping[str, str] = {
    "taken": "You have taken it on.",
    "noted": "The note is kept.",
    "asked": "waiting for the user",
    "receipt": "The contact is on record.",
    "view": "My morning",
    "done": "done 2",
    "saved": "The view is saved.",
    "out": "Sign in",
    "address": "203.0.113.1",
}
FRENCH: Mapping[str, str] = {
    "taken": "Vous avez pris l’incident en charge.",
    "noted": "La note est enregistrée.",
    "asked": "mis en attente (utilisateur)",
    "receipt": "Le contact est enregistré.",
    "view": "Ma matinée",
    "done": "fait 2",
    "saved": "La vue est enregistrée.",
    "out": "Se connecter",
    "address": "203.0.113.2",
}


class Agent:
    """Somebody at a keyboard: counts the keys, and never touches the mouse."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.keys = 0

    def presses(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
        self.keys += len(keys)

    def types(self, text: str) -> None:
        self.page.keyboard.type(text)

    def goes_to(self, selector: str) -> None:
        """Press Tab until a control has the focus."""
        for _ in range(80):
            self.presses("Tab")
            if self.page.locator(f"{selector}:focus").count():
                return
        pytest.fail(f"Tab does not reach {selector}")

    def is_done(self) -> int:
        """Return the number of keys since this was last asked, without the words."""
        found, self.keys = self.keys, 0
        assert overflowing(self.page) == []
        return found


@pytest.fixture
def link(desk: Desk) -> str:
    """Return the address in a mail that signs nadia in."""
    log, now = desk.log(), datetime.now(UTC)
    keys = seal_keys_of(log)
    with log.transaction() as cursor:
        token = newest_token_of(cursor, "person:nadia", now)
        link = NewLink("person:nadia", "link", token_id=token)
        secret = create_link(cursor, keys, now, link)
    log.close()
    return f"{desk.api_url}/sign-in/link/{secret}"


@pytest.fixture(
    params=[("en-GB", WIDE, ENGLISH), ("fr-FR", TELEPHONE, FRENCH)],
    ids=["english", "french-telephone"],
)
def morning(
    browser: Browser, request: pytest.FixtureRequest
) -> Iterator[tuple[Agent, Mapping[str, str]]]:
    locale, (width, height), words = request.param
    context = patient_context(
        browser,
        locale=locale,
        timezone_id="Europe/Paris",
        viewport={"width": width, "height": height},
    )
    yield Agent(context.new_page()), words
    context.close()


def _reported(desk: Desk, address: str) -> list[str]:
    """Let users report what nobody has taken on yet, from an address of their own."""
    refs = []
    for number in range(4):
        report = {
            "email": "petit@valmont.example",
            "service": "web",
            "words": f"The printer {number} is silent",
            "key": f"morning-of-{address.replace('.', '-')}-{number}",
        }
        url, seen = f"{desk.api_url}/v1/reports", {"X-Forwarded-For": address}
        sent = posted(url, json=report, headers=seen)
        assert sent.is_success, sent.text
        refs.append(str(sent.json()["incident"]))
    return refs


def test_an_agents_morning_by_keyboard(
    desk: Desk, link: str, morning: tuple[Agent, Mapping[str, str]]
) -> None:
    agent, words = morning
    page, refs = agent.page, _reported(desk, words["address"])

    page.goto(link)
    expect(page.locator("main button")).to_be_focused()
    agent.presses("Enter")
    page.wait_for_selector("#feed.is-live")
    assert agent.is_done() == 1

    _filters(agent, refs[:2])
    _takes_one_on(agent, words)
    _notes_and_asks(agent, words)
    _resolves_and_goes_to_the_next(agent)
    _takes_a_call(agent, words)
    _leads_back_to_the_queue(agent)
    _filters(agent, refs[2:])
    _takes_on_all(agent, words)
    _saves_the_view(agent, words)
    _searches(agent, refs[3])
    _signs_out(agent, words)


def _filters(agent: Agent, refs: Sequence[str]) -> None:
    agent.presses("f")
    agent.page.keyboard.press("Control+a")
    agent.types(" OR ".join(refs))
    agent.presses("Enter")
    expect(agent.page.locator("tr[data-ref]")).to_have_count(len(refs))
    agent.page.wait_for_selector("#feed.is-live")
    assert agent.is_done() == 2


def _takes_one_on(agent: Agent, words: Mapping[str, str]) -> None:
    agent.presses("j")
    row = agent.page.evaluate("document.activeElement.id")
    agent.is_done()
    agent.presses("a")
    expect(agent.page.locator("#done")).to_have_text(words["taken"])
    assert agent.is_done() == 1
    expect(agent.page.locator(f"#{row}")).to_be_focused()


def _notes_and_asks(agent: Agent, words: Mapping[str, str]) -> None:
    page = agent.page
    agent.presses("Enter")
    page.wait_for_selector(".timeline")
    page.wait_for_selector("#feed.is-live")
    agent.presses("n")
    agent.types("Restarted twice already")
    agent.presses("Control+Enter")
    expect(page.locator("#done")).to_have_text(words["noted"])
    assert agent.is_done() == 3

    agent.presses("Control+k")
    agent.types(page.locator("#do-ask summary").inner_text())
    agent.presses("ArrowDown", "Enter")
    expect(page.locator("#ask-question")).to_be_focused()
    agent.types("Since when?")
    agent.presses("Control+Enter")
    expect(page.locator(".timeline")).to_contain_text(words["asked"])
    expect(page.locator(".about .status.paused")).to_be_visible()
    expect(page.locator(".unreceived")).to_be_visible()  # it sends no mail
    assert agent.is_done() == 4


def _resolves_and_goes_to_the_next(agent: Agent) -> None:
    here = agent.page.locator(".about .ref").inner_text()
    agent.presses("e")
    agent.types("A full disk was emptied")
    agent.presses("Control+Shift+Enter")
    expect(agent.page.locator(".about .ref")).not_to_have_text(here)
    expect(agent.page.locator(".about .status.new")).to_be_visible()
    agent.page.wait_for_selector("#feed.is-live")  # keys are heard
    assert agent.is_done() == 2


def _takes_a_call(agent: Agent, words: Mapping[str, str]) -> None:
    page = agent.page
    agent.presses("t")
    expect(page.locator("#caller")).to_be_focused()
    page.wait_for_load_state()  # what is typed is looked up
    agent.types("petit")
    expect(page.locator("#person-petit")).to_be_checked()
    agent.presses("Tab")
    agent.types("The portal is down")
    agent.presses("Tab")
    agent.types("Web")
    agent.presses("Control+Enter")
    expect(page.locator("#receipt")).to_contain_text("INC-")
    expect(page.locator("main")).to_contain_text(words["receipt"])
    expect(page.locator("main")).to_contain_text("rétabli")  # in their language
    assert agent.is_done() == 4


def _leads_back_to_the_queue(agent: Agent) -> None:
    agent.presses("o")
    agent.page.wait_for_selector("#feed.is-live")
    agent.goes_to(".back a")
    agent.presses("Enter")
    agent.page.wait_for_selector("main.queue")
    agent.page.wait_for_selector("#feed.is-live")
    agent.is_done()


def _takes_on_all(agent: Agent, words: Mapping[str, str]) -> None:
    page = agent.page
    agent.presses("j", "x", "J")
    expect(page.locator("tr.selected")).to_have_count(2)
    agent.goes_to("#bulk button")
    agent.presses("Enter")
    page.wait_for_selector("main.bulk-page")
    expect(page.locator("button[value=run]")).to_be_focused()
    agent.presses("Enter")
    expect(page.locator(".outcomes")).to_contain_text(words["done"])
    agent.goes_to(".back a")
    agent.presses("Enter")
    expect(page.locator(".status.acknowledged")).to_have_count(2)
    assert agent.is_done() <= _BULK_KEYS


def _saves_the_view(agent: Agent, words: Mapping[str, str]) -> None:
    page = agent.page
    page.wait_for_selector("#feed.is-live")
    agent.goes_to("#save summary")
    agent.presses("Enter")
    agent.goes_to("#view-name")
    agent.types(words["view"])
    agent.presses("Enter")
    expect(page.locator("#done")).to_have_text(words["saved"])
    expect(page.locator(".views [aria-current]")).to_contain_text(words["view"])
    assert agent.is_done() <= _VIEW_KEYS


def _searches(agent: Agent, ref: str) -> None:
    agent.page.wait_for_selector("#feed.is-live")
    agent.presses("/")
    agent.types(ref)
    agent.presses("Enter")
    expect(agent.page.locator(".about .ref")).to_have_text(ref)
    assert agent.is_done() == 2


def _signs_out(agent: Agent, words: Mapping[str, str]) -> None:
    agent.goes_to("form.leave button")
    agent.presses("Enter")
    expect(agent.page.locator("h1")).to_have_text(words["out"])
    assert agent.is_done() <= _LEAVE_KEYS


def test_keys_are_turned_off_and_the_menu_is_skipped(look: Look) -> None:
    page = look()
    page.locator("#show-keys").click()
    page.locator("#single-keys").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("f")
    expect(page.locator("#filter")).not_to_be_focused()
    page.reload()
    page.keyboard.press("f")
    expect(page.locator("#filter")).not_to_be_focused()
    page.locator("#show-keys").click()
    page.locator("#single-keys").check()
    page.keyboard.press("Escape")
    page.keyboard.press("f")
    expect(page.locator("#filter")).to_be_focused()

    page.reload()
    for key in ("Tab", "Enter", "Tab"):
        page.keyboard.press(key)
    expect(page.locator(".queues a").first).to_be_focused()
