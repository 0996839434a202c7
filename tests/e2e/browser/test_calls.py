"""An agent takes a call in a browser: who it is, what is known, and the receipt."""

from datetime import UTC, datetime, timedelta

from playwright.sync_api import Browser, expect

from tests.e2e.browser.conftest import Look
from tests.support.builders.user_links import link_to
from tests.support.desks.running import Desk
from tests.support.patience import until
from tests.support.servers.browser import patient_context

CALL = "/contacts/new"


def services_of(desk: Desk, person: str) -> dict[str, str]:
    """Return the open incidents that a person reported first, with their services."""
    answer = desk.get(
        "/v1/queues/all/incidents", params={"reporter": person, "limit": "100"}
    )
    assert answer.is_success, answer.text
    return {each["ref"]: each["service"] for each in answer.json()["items"]}


def test_a_call_is_taken_with_the_keyboard_alone(desk: Desk, look: Look) -> None:
    page = look(CALL)
    expect(page.locator("#caller")).to_be_focused()
    page.keyboard.type("4 75 00 00 01")
    expect(page.locator("#person-lefevre")).to_be_checked()
    expect(page.locator("#caller")).to_be_focused()  # what is found moves nothing
    page.keyboard.press("Tab")
    page.keyboard.type("The portal is down")
    page.keyboard.press("Tab")
    page.keyboard.type("Web")
    for _ in "ab":
        page.keyboard.press("Tab")
    page.keyboard.type("18")
    page.keyboard.press("Enter")

    receipt = page.locator("#receipt")
    promised = page.locator(".promises")  # to read out, in the caller's language
    expect(promised).to_contain_text("le service est rétabli au plus tard le")
    ref = receipt.inner_text()
    until(lambda: ref in services_of(desk, "lefevre"), "the incident in the queue")
    assert services_of(desk, "lefevre")[ref] == "web"

    page.keyboard.press("t")
    expect(page.locator("#caller")).to_have_value("")  # nothing of the last call


def test_a_second_caller_is_attached_to_what_is_open(desk: Desk, look: Look) -> None:
    call = {
        "person": "lefevre",
        "channel": "phone",
        "words": "Portal",
        "service": "web",
    }
    desk.post("/v1/contacts", call).raise_for_status()
    until(lambda: bool(services_of(desk, "lefevre")), "what is open already")
    before = services_of(desk, "costa")
    page = look(CALL, viewport={"width": 375, "height": 812})
    page.locator("#caller").fill("costa")
    page.locator("#words").fill("The portal again")
    page.locator("#service").select_option("web")
    known = page.locator("input[name=incident]:not(#incident-new)").first
    ref = known.get_attribute("value")
    page.locator(f"#incident-{ref}").check()
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 375
    page.get_by_role("button", name="Record").click()

    expect(page.locator("#receipt")).to_have_text(str(ref))
    assert services_of(desk, "costa") == before


def test_without_a_script_a_button_looks_up(look: Look) -> None:
    page = look(CALL, java_script_enabled=False, locale="fr-FR")
    page.locator("#caller").fill("lefevre")
    page.locator("#words").fill("Le <b>portail</b> est lent")
    page.get_by_role("button", name="Chercher").click()
    expect(page.locator("#words")).to_have_value("Le <b>portail</b> est lent")
    expect(page.locator("#person-lefevre")).to_be_checked()
    assert "portail" not in page.url
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.locator("#receipt")).to_contain_text("INC-")


def test_with_intake_away_nothing_typed_is_lost_and_it_is_recorded_once(
    desk: Desk, look: Look
) -> None:
    page = look(CALL)
    before = len(services_of(desk, "lefevre"))
    page.locator("#caller").fill("lefevre")
    page.locator("#words").fill("Nothing works at all")
    expect(page.locator("#person-lefevre")).to_be_checked()
    desk.services["intake"].kill()
    page.get_by_role("button", name="Record").click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.locator("#words")).to_have_value("Nothing works at all")

    desk.services["intake"].start()
    desk.until_commands_are_taken()
    page.get_by_role("button", name="Record").click()
    expect(page.locator("#receipt")).to_contain_text("INC-")
    until(
        lambda: len(services_of(desk, "lefevre")) == before + 1, "exactly one incident"
    )


def test_a_new_caller_is_entered_with_the_keyboard(look: Look) -> None:
    page = look(CALL)
    expect(page.locator("#caller")).to_be_focused()
    page.keyboard.type("Zoé <b>Martin</b>")
    expect(page.locator("#found")).to_contain_text("Nobody is found")
    page.keyboard.press("Tab")
    page.keyboard.type("Who are you?")
    expect(page.locator(".new-caller")).to_be_hidden()
    page.locator("#person-new").focus()
    page.keyboard.press("Space")
    expect(page.locator(".new-caller")).to_be_visible()
    for typed in ("", "+33 4-75.00 00 03", "zoe@martin.example"):
        page.keyboard.press("Tab")
        page.keyboard.type(typed)
    expect(page.locator("#person-petit")).to_be_visible()  # has this number
    page.keyboard.press("Tab")
    expect(page.locator("#caller_client")).to_be_focused()
    expect(page.locator("#person-new")).to_be_checked()
    page.keyboard.type("ours")
    page.keyboard.press("Enter")

    expect(page.locator("#receipt")).to_contain_text("INC-")
    expect(page.locator("main")).to_contain_text("Zoé <b>Martin</b> (call-")
    page.get_by_role("link", name="correct or confirm").click()
    expect(page.locator(".facts")).to_contain_text("unconfirmed")


def test_an_entry_is_corrected_and_the_person_called_back(
    desk: Desk, look: Look
) -> None:
    caller = {"name": "Zoe Marin", "phone": "+33 4-75.00 00 09", "client": "ours"}
    call = {"caller": caller, "channel": "phone", "words": "Who are you?"}
    person = desk.post("/v1/contacts", call).json()["person"]
    page = look(f"/person/{person}")
    page.get_by_text("Correct the entry", exact=True).first.click()
    expect(page.locator("#correct-phone")).to_have_value("+33 4-75.00 00 09")
    page.locator("#correct-name").fill("Zoé Martin")
    page.locator("#correct-phone").fill("")
    page.get_by_role("button", name="Correct the entry").click()
    expect(page.locator("h1")).to_contain_text("Zoé Martin")
    expect(page.locator(".facts")).not_to_contain_text("unconfirmed")

    page.keyboard.press("t")  # a contact with them
    expect(page.locator(f"#person-{person}")).to_be_checked()
    expect(page.locator("#words")).to_be_focused()
    page.locator("#abandoned").check()
    page.locator("#waited_seconds").fill("40")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Open the incident").click()
    expect(page.locator("h1")).to_have_text("Call back")
    expect(page.locator("main")).to_contain_text("Zoé Martin")


def test_without_a_script_an_address_that_somebody_has_leads_to_them(
    look: Look,
) -> None:
    page = look(CALL, java_script_enabled=False, locale="fr-FR")
    page.locator("#caller").fill("Mon collègue")
    page.locator("#words").fill("Rien ne marche")
    page.get_by_role("button", name="Chercher").click()
    page.locator("#person-new").check()
    page.locator("#caller_email").fill("costa@valmont.example")
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.get_by_role("alert")).to_contain_text("a déjà cette adresse")
    expect(page.locator("#caller_email")).to_have_attribute("aria-invalid", "true")
    page.locator("#person-costa").check()
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.locator("#receipt")).to_contain_text("INC-")
    expect(page.locator("main")).to_contain_text("M. Costa (costa)")


def test_the_page_of_a_user_fits_a_phone(desk: Desk, browser: Browser) -> None:
    call = {"person": "petit", "channel": "phone", "words": "W" * 200, "service": "web"}
    ref = desk.post("/v1/contacts", call).json()["incident"]
    later = (datetime.now(UTC) + timedelta(days=9)).isoformat()
    more = {"new_due_at": later, "reason": "A part is missing."}
    desk.post(f"/v1/incidents/{ref}/extensions", more).raise_for_status()
    token = link_to(desk.log(), ref, "petit", datetime.now(UTC) + timedelta(days=1))
    with patient_context(browser, viewport={"width": 375, "height": 700}) as context:
        page = context.new_page()
        page.goto(f"{desk.api_url}/my/{token}")
        expect(page.locator("button[value=accept]")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 375
