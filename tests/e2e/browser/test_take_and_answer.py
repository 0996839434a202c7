"""An agent takes an incident, answers its user and resolves it, on its page."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial

import pytest
from playwright.sync_api import Page, expect

from shared.security.access import create
from tests.e2e.browser.conftest import Look
from tests.e2e.browser.shown.commands import commanded, signalled
from tests.e2e.browser.test_faults import sent_since, unread
from tests.support.desks.running import Desk
from tests.support.patience import until
from tests.support.servers.accessibility import barriers

RESOLVED = ".about .status.resolved"


def reported(desk: Desk, title: str) -> str:
    """Return an incident that nobody has taken on, and that a user asked about."""
    alert = {"title": title, "severity": "warning", "service": "mail"}
    (ref,) = signalled(desk, alert)
    said = {"person": "lefevre", "channel": "phone", "words": "Nothing arrives"}
    return commanded(desk, f"/{ref}/attach", **said)


def told(desk: Desk, ref: str) -> Sequence[str]:
    """Return what people did about an incident, from the log itself."""
    log = desk.log()
    entries = log.history(f"incident-{ref}")
    log.close()
    by_people = (each.event for each in entries if each.event.by.startswith("person:"))
    return [each.type.removeprefix("incident.") for each in by_people]


def press(page: Page, key: str, words: str) -> None:
    """Open a form by its key, type, and send it, without a pointer."""
    page.keyboard.press(key)
    page.keyboard.type(words)
    page.keyboard.press("Control+Enter")


IN_ENGLISH = (
    "You have taken it on.",
    "The users are being informed.",
    "The user is being asked.",
    "has a signal that still fires (1): wait until it recovers",
)
IN_FRENCH = (
    "Vous avez pris l’incident en charge.",
    "Les utilisateurs sont en cours d’information.",
    "La question est envoyée à l’utilisateur.",
    "a un signal encore actif (1) : attendez son retour",
)


@pytest.mark.parametrize(
    ("locale", "width", "words"),
    [("en-GB", 1280, IN_ENGLISH), ("fr-FR", 375, IN_FRENCH)],
    ids=["desktop", "telephone"],
)
def test_it_is_taken_answered_asked_about_and_resolved_by_keyboard(
    desk: Desk, look: Look, locale: str, width: int, words: Sequence[str]
) -> None:
    taken, informed, asked, why = words
    ref = reported(desk, f"Mail is late {width}")
    size = {"width": width, "height": 800}
    page = look(f"/incidents/{ref}", locale=locale, viewport=size)
    status, done = page.locator(".about .status"), page.locator("#done")

    # The answer closes the forms, and what it tells of may be shown before it.
    page.keyboard.press("a")
    expect(done).to_have_text(taken)
    expect(status).to_have_class("status acknowledged")
    page.keyboard.press("r")
    expect(page.locator("#act-inform .recipients")).to_contain_text("lefevre@valmont")
    assert barriers(page) == []
    page.keyboard.type("We are at it")
    page.keyboard.press("Control+Enter")
    expect(done).to_have_text(informed)
    expect(page.locator(".timeline")).to_contain_text("We are at it")
    press(page, "q", "Since when?")
    expect(done).to_have_text(asked)
    expect(status).to_have_class("status paused")
    assert barriers(page) == []
    page.keyboard.press("e")
    expect(page.locator("#act-resolve details.more")).to_have_attribute("open", "")
    assert barriers(page) == []
    page.keyboard.type("Rebooted")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#resolve-force-problem")).to_contain_text(why)
    expect(page.locator("#resolve-note")).to_have_value("Rebooted")
    assert barriers(page) == []
    page.locator("#resolve-force").press("Space")
    page.locator("#resolve-reason").fill("The probe lags")
    page.keyboard.press("Control+Enter")

    expect(page.locator(RESOLVED)).to_be_visible()
    assert barriers(page) == []
    page.locator("#not-now summary").press("Enter")
    expect(page.locator("#not-now dd").first).to_contain_text(ref)
    commanded(desk, f"/{ref}/note", note="Read meanwhile")
    expect(page.locator(".timeline")).to_contain_text("Read meanwhile")
    expect(page.locator("#not-now")).to_have_attribute("open", "")
    assert barriers(page) == []


def test_all_of_it_works_without_scripts(desk: Desk, look: Look) -> None:
    ref = reported(desk, "Mail is late for a telephone")
    page = look(
        f"/incidents/{ref}",
        locale="fr-FR",
        viewport={"width": 375, "height": 800},
        java_script_enabled=False,
    )

    def send(verb: str, **fields: str) -> None:
        form = page.locator(f"#act-{verb}")
        if fields:
            page.locator(f"#do-{verb} > summary").click()
        for name, words in fields.items():
            form.locator(f"[name={name}]").fill(words)
        form.locator("[type=submit]").first.click()
        expect(page.locator("#done")).not_to_be_empty()

    send("acknowledge")
    send("inform", message="Nous y travaillons")
    send("ask", question="Depuis quand ?")
    page.locator("#do-resolve > summary").click()
    page.locator("#resolve-force").check()
    page.locator("#resolve-reason").fill("La sonde est en retard")
    page.locator("#act-resolve [type=submit]").first.click()

    expect(page.locator(RESOLVED)).to_be_visible()
    did = ["contacted", "acknowledged", "assigned", "informed", "paused"]
    assert told(desk, ref) == [*did, "resumed", "restored", "resolved"]


@pytest.mark.parametrize(
    ("key", "field", "verb", "did"),
    [("r", "message", "inform", "informed"), ("e", "note", "resolve", "resolved")],
    ids=["inform", "resolve"],
)
def test_intake_killed_between_a_press_and_its_answer_acts_once(
    desk: Desk, look: Look, key: str, field: str, verb: str, did: str
) -> None:
    ref = commanded(desk, "", title=f"The press of {verb}", service="mail")
    page = look(f"/incidents/{ref}")
    page.keyboard.press(key)
    form = page.locator(f"#act-{verb}")
    form.locator(f"[name={field}]").fill("The power is back")
    intake = desk.services["intake"]
    intake.freeze()
    before = unread(desk)
    page.keyboard.press("Control+Enter")
    until(partial(sent_since, desk, before), "the command is at intake")
    intake.kill()
    intake.start()
    desk.wait_ready(["intake"])

    done = page.locator(".timeline p", has_text="The power is back")
    unsent = form.locator(".unsent", has_text="Not sent.")
    expect(done.or_(unsent).first).to_be_visible()
    if not done.count():
        expect(form.locator(f"[name={field}]")).to_have_value("The power is back")
        form.locator("[type=submit]").first.click()
    expect(done.first).to_be_visible()
    assert told(desk, ref).count(did) == 1


@pytest.mark.parametrize("was_taken", [False, True])
def test_one_press_takes_over_what_was_escalated(
    desk: Desk, look: Look, was_taken: bool
) -> None:
    log = desk.log()
    with log.transaction() as cursor:
        token = create(cursor, datetime.now(UTC), "person:expert", ["agent"])
    log.close()
    desk.tokens["expert"] = token.token
    title = f"Web answers {502 + was_taken}"
    (ref,) = signalled(desk, {"title": title, "severity": "info", "service": "web"})
    if was_taken:
        commanded(desk, f"/{ref}/acknowledge")
    commanded(desk, f"/{ref}/escalate", reason="Above us")
    row = look(f"/?q={502 + was_taken}", who="expert").locator(f"tr[data-ref={ref}]")
    expect(row.locator(".of-acts button")).to_have_count(1)
    page = look(f"/incidents/{ref}", who="expert")
    expect(page.locator("#act-acknowledge")).to_have_count(0)

    page.keyboard.press("c")

    expect(page.locator("#done")).to_contain_text("You have taken it over")
    expect(page.locator(".about .status.acknowledged")).to_be_visible()
    found = desk.get(f"/v1/incidents/{ref}").json()
    assert (found["accepted_by"], found["assignee"]) == ("expert", "expert")
    expect(page.locator("#act-assign_to_me")).to_have_count(0)


def test_a_colleagues_incident_is_taken_over_with_one_press(
    desk: Desk, look: Look
) -> None:
    ref = commanded(desk, "", title="Left by nadia", service="mail")
    page = look(f"/incidents/{ref}", who="manager")

    page.keyboard.press("m")

    expect(page.locator("#done")).to_have_text("It is assigned to you.")
    assert desk.get(f"/v1/incidents/{ref}").json()["assignee"] == "sylvie"
    expect(page.locator("#act-assign_to_me")).to_have_count(0)
