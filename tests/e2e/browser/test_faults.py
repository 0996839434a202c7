"""An agent works in a browser while services, the network or their rights go away."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from playwright.sync_api import Locator, Page, Route, expect

from shared.domain.events import (
    IncidentAcknowledged,
    IncidentCancelled,
    IncidentNoted,
)
from shared.domain.events.event import Event
from shared.security.sender import seal_keys_of
from shared.security.sign_in_links import NewLink, create_link
from tests.e2e.browser.conftest import Look
from tests.e2e.browser.shown.commands import commanded, signalled
from tests.support.desks.running import Desk
from tests.support.mail.sent_files import picture
from tests.support.patience import SECONDS, answered, until

STAYED = "window.stayed"
COMMAND_BYTES_MIN = 200
LONG = "The power is back. " * 300
"""More than what intake is sent meanwhile."""


def opened(desk: Desk, title: str, service: str = "mail") -> str:
    return commanded(desk, "", title=title, service=service, impact="low")


def alert(title: str) -> Mapping[str, object]:
    return {"title": title, "severity": "info", "service": "web"}


def admin(desk: Desk, path: str, **body: object) -> dict[str, Any]:
    """Command as an administrator; return the answer."""
    answer = desk.post(f"/v1{path}", body, "admin")
    assert answer.is_success, answer.text
    found: dict[str, Any] = answer.json()
    return found


def notes(desk: Desk, ref: str) -> list[str]:
    """Return the notes on an incident, from the log itself."""
    return [str(e.note) for e in events(desk, ref) if isinstance(e, IncidentNoted)]


def events(desk: Desk, ref: str) -> Sequence[Event]:
    log = desk.log()
    found = [entry.event for entry in log.history(f"incident-{ref}")]
    log.close()
    return found


def unread(desk: Desk) -> int:
    """Return how many bytes intake was sent by the bus that it has not read."""
    sockets = psutil.Process(desk.services["intake"].pid).net_connections("tcp")
    own = {each.laddr.port for each in sockets if each.raddr}
    lines = Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]
    fields = (line.split() for line in lines)
    return sum(
        int(each[4].split(":")[1], 16)
        for each in fields
        if int(each[1].split(":")[1], 16) in own
    )


def send_and_kill(desk: Desk, form: Locator) -> None:
    """Send a form; projections dies when its command is at intake, which does it."""
    desk.services["intake"].freeze()
    form.get_by_role("button").click()
    until(lambda: unread(desk) > len(LONG), "the command is at intake")
    desk.services["projections"].kill()
    desk.services["intake"].thaw()


def typed_note(page: Page, words: str) -> None:
    page.keyboard.press("n")
    page.keyboard.type(words)


def test_projections_killed_between_a_command_and_its_answer_act_once(
    desk: Desk, look: Look
) -> None:
    ref = opened(desk, "The reader of cards is dark")
    queue = look("/?service=web&order=reported_at")
    page = look(f"/incidents/{ref}")
    for each in (queue, page):
        each.evaluate(f"{STAYED} = true")
    page.keyboard.press("n")
    form = page.locator("#act-note")
    form.locator("[name=note]").fill(LONG)
    send_and_kill(desk, form)

    expect(form.locator(".unsent")).to_contain_text("Not sent.")
    expect(page.locator("#feed")).to_have_text("reconnecting…")
    until(lambda: notes(desk, ref) == [LONG], "the command is done")
    form.get_by_role("button").click()
    expect(form.locator(".unsent")).to_contain_text("Not sent.")
    signalled(desk, alert("Meanwhile the portal fell over"), shown=False)
    desk.services["projections"].start()
    desk.wait_ready(["projections"])
    expect(queue.locator("main")).to_contain_text("Meanwhile the portal fell over")
    expect(page.locator("#feed.is-live")).to_be_visible()
    expect(page.locator(".timeline p", has_text=LONG[:50])).to_have_count(1)
    expect(form.locator("[name=note]")).to_have_value(LONG)
    form.get_by_role("button").click()
    expect(page.locator("#done")).to_have_text("The note is kept.")
    expect(form.locator("[name=note]")).to_have_value("")
    assert queue.evaluate(STAYED) is page.evaluate(STAYED) is True
    assert notes(desk, ref) == [LONG]


def sign_in_again(page: Page, desk: Desk) -> None:
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.fill("#token", desk.tokens["agent"])
    page.locator("main button").first.click()


def test_who_is_signed_out_while_typing_signs_in_and_goes_on(
    desk: Desk, look: Look
) -> None:
    ref = opened(desk, "The gate is open")
    page = look(f"/incidents/{ref}")
    typed_note(page, "The guard is told")
    url, own = f"{desk.api_url}/v1/me/sessions", desk.bearer("agent")
    gone = answered(lambda: httpx.delete(url, headers=own, timeout=SECONDS))
    assert gone.is_success, gone.text

    sign_in_again(page, desk)  # the page leads there by itself
    note = page.locator("#act-note")
    expect(note.locator("textarea")).to_have_value("The guard is told")
    note.get_by_role("button").click()
    expect(page.locator("#done")).to_have_text("The note is kept.")
    assert notes(desk, ref) == ["The guard is told"]


@pytest.mark.parametrize("with_script", [True, False])
def test_a_form_sent_by_who_is_signed_out_is_kept_and_leads_back(
    desk: Desk, look: Look, with_script: bool
) -> None:
    ref = opened(desk, "The lamp flickers")
    page = look(f"/incidents/{ref}", java_script_enabled=with_script)
    note = page.locator("#act-note")
    page.locator("#do-note summary").click()
    note.locator("textarea").fill("A new lamp is on order")
    page.context.clear_cookies()
    note.get_by_role("button").click()

    if with_script:
        expect(note.locator(".unsent")).to_contain_text("You are signed out.")
        expect(note.locator("textarea")).to_have_value("A new lamp is on order")
        note.get_by_role("link", name="Sign in").click()
    sign_in_again(page, desk)
    expect(page.locator("h1")).to_have_text("The lamp flickers")
    if with_script:
        expect(note.locator("textarea")).to_have_value("A new lamp is on order")
        note.get_by_role("button").click()
        expect(page.locator("#done")).to_have_text("The note is kept.")
    assert notes(desk, ref) == ["A new lamp is on order"] * with_script


def test_who_is_signed_out_while_they_take_a_call_loses_nothing(
    desk: Desk, look: Look
) -> None:
    page = look("/contacts/new")
    page.locator("#caller").fill("costa")
    expect(page.locator("#person-costa")).to_be_checked()
    page.locator("#words").fill("My screen is blue")
    page.context.clear_cookies()
    page.get_by_role("button", name="Record").click()
    unsent = page.locator("#contact .unsent")
    expect(unsent).to_contain_text("You are signed out.")
    unsent.get_by_role("link").click()
    sign_in_again(page, desk)

    expect(page.locator("#words")).to_have_value("My screen is blue")
    expect(page.locator("#person-costa")).to_be_checked()  # looked up again
    page.get_by_role("button", name="Record").click()
    expect(page.locator("#receipt")).to_contain_text("INC-")


def limited_agent(desk: Desk, person: str) -> str:
    """Give a person the role of an agent for `web`; return the id of the grant."""
    grant = admin(desk, f"/people/{person}/grant", role="agent", services=["web"])
    log = desk.log()
    with log.transaction() as cursor:
        link = NewLink(f"person:{person}", "link")
        desk.tokens[person] = create_link(
            cursor, seal_keys_of(log), datetime.now(UTC), link
        )
    log.close()
    return str(grant["grants"][0])


def hang(_: Route) -> None:
    """Leave a request without an answer."""


def test_a_right_that_is_withdrawn_ends_what_is_seen_and_done(
    desk: Desk, look: Look
) -> None:
    ref = opened(desk, "Web is slow", "web")
    web = limited_agent(desk, "petit")
    admin(desk, "/people/petit/grant", role="agent", services=["mail"])
    queue = look("/?q=slow", who="petit")
    expect(queue.locator(f"#{ref}")).to_be_visible()
    watched, page = (queue.context.new_page() for _ in "ab")
    watched.goto(f"{desk.api_url}/incidents/{ref}")
    page.add_init_script("delete window.BroadcastChannel")  # a stream of its own,
    page.route("**/v1/stream?*", hang)  # that hangs: only the form finds it out
    page.goto(f"{desk.api_url}/incidents/{ref}")
    typed_note(page, "Who reads this?")
    admin(desk, "/people/petit/withdraw", grant=web)

    expect(queue.locator(f"#{ref}")).to_have_count(0)
    expect(watched.get_by_role("alert")).to_contain_text("There is no incident")
    form = page.locator("#act-note")
    form.get_by_role("button").click()
    expect(form.locator(".unsent")).to_contain_text("There is no incident")
    expect(form.locator("textarea")).to_have_value("Who reads this?")
    assert notes(desk, ref) == []


def sent_since(desk: Desk, before: int) -> bool:
    return unread(desk) >= before + COMMAND_BYTES_MIN


def test_of_two_who_take_it_on_at_once_one_wins_and_the_other_is_told_who(
    desk: Desk, look: Look
) -> None:
    (ref,) = signalled(desk, alert("Both of us"))
    queue = look("/?q=both+of+us")
    expect(queue.locator(f"#{ref}")).to_be_visible()
    pages = [look(f"/incidents/{ref}", who=who) for who in ("agent", "manager")]
    desk.services["intake"].freeze()
    for page in pages:
        before = unread(desk)
        page.keyboard.press("a")
        until(partial(sent_since, desk, before), "the command is at intake")
    desk.services["intake"].thaw()

    for page in pages:
        expect(page.locator(".about .status")).to_have_text("acknowledged")
    (taken,) = [e for e in events(desk, ref) if isinstance(e, IncidentAcknowledged)]
    loser = pages[1] if taken.by == "person:nadia" else pages[0]
    told = loser.locator(".meanwhile")
    expect(told).to_contain_text(taken.by.removeprefix("person:"))
    row = queue.locator(f"tr[data-ref={ref}] .of-team")
    expect(row).to_contain_text(taken.by.removeprefix("person:"))


def test_with_the_network_lost_many_are_changed_once_and_the_reason_is_kept(
    desk: Desk, look: Look
) -> None:
    refs = signalled(desk, *(alert(f"Storm {n}") for n in "ab"))
    page = look(f"/?filter={'+OR+'.join(refs)}")
    for ref in refs:
        page.check(f"tr[data-ref={ref}] input[name=ref]")
    page.select_option("#bulk-verb", "cancel")
    page.locator("#bulk button").click()
    page.select_option("#bulk-reason", "test")
    page.locator("#bulk-note").fill("The storm is over")
    page.context.set_offline(True)
    page.get_by_role("button", name="Preview").click()
    expect(page.locator(".unsent")).to_contain_text("Not sent.")
    expect(page.locator("#bulk-note")).to_have_value("The storm is over")
    page.context.set_offline(False)
    page.get_by_role("button", name="Preview").click()

    page.route("**/queue/bulk", lose)
    page.get_by_role("button", name="Do it for 2 incidents").click()
    expect(page.locator(".unsent")).to_contain_text("Not sent.")
    page.unroute("**/queue/bulk")
    page.get_by_role("button", name="Do it for 2 incidents").click()
    expect(page.locator(".outcomes")).to_have_text("was done before 2")
    for ref in refs:
        gone = [e for e in events(desk, ref) if isinstance(e, IncidentCancelled)]
        assert len(gone) == 1


def lose(route: Route) -> None:
    """Let a request arrive, and lose its answer."""
    route.fetch()
    route.abort()


def test_with_the_network_lost_files_stay_chosen_and_are_attached_once(
    desk: Desk, look: Look
) -> None:
    ref = opened(desk, "The form is grey")
    page = look(f"/incidents/{ref}")
    shot = {"name": "grey.png", "mimeType": "image/png", "buffer": picture()}
    page.get_by_label("Attach files").set_input_files(shot)  # type: ignore[arg-type] # as playwright takes it
    attach = page.get_by_role("button", name="Attach", exact=True)
    page.route("**/files", lose)
    attach.click()
    expect(page.locator("#attach .unsent")).to_contain_text("Not sent.")
    page.unroute("**/files")
    commanded(desk, f"/{ref}/note", note="Somebody else is here")
    expect(page.locator(".timeline")).to_contain_text("Somebody else is here")
    attach.click()

    expect(page.locator("#done")).to_have_text("The files are attached.")
    expect(page.locator(".files li")).to_have_count(1)
    assert page.get_by_label("Attach files").input_value() == ""
