"""An agent works on an incident in a browser, from its page and by keyboard."""

from playwright.sync_api import expect

from services.projections.presence.state import EXPIRES_SECONDS
from tests.e2e.browser.conftest import Look
from tests.e2e.browser.shown.commands import commanded, signalled
from tests.support.desks.running import Desk
from tests.support.mail.sent_files import picture
from tests.support.patience import SECONDS, until

LEFT_MS = (EXPIRES_SECONDS + SECONDS) * 1000


def _finds(desk: Desk, words: str) -> bool:
    answer = desk.get("/v1/search", params={"q": words})
    return bool(answer.json()["items"])


def _opened(desk: Desk, title: str) -> str:
    return commanded(desk, "", title=title, service="mail", impact="low")


def test_a_note_and_a_resolution_lead_to_the_next_by_keyboard(
    desk: Desk, look: Look
) -> None:
    first, second = _opened(desk, "Badge one"), _opened(desk, "Badge two")
    page = look("/?q=badge")
    page.locator(f"#{first}").click()
    page.wait_for_selector("#feed.is-live")

    page.keyboard.press("n")
    page.keyboard.type("The badge is in the safe")
    page.keyboard.press("Control+Enter")
    timeline = page.locator(".timeline")
    expect(timeline).to_contain_text("for the desk only: “The badge is in the safe”")
    expect(page.locator("#done")).to_have_text("The note is kept.")
    expect(page.locator("#note-note")).not_to_be_focused()

    page.keyboard.press("e")
    expect(page.locator("#resolve-note")).to_be_focused()
    page.keyboard.type("Rebooted")
    page.get_by_role("button", name="Resolve, and go to the next").click()
    expect(page.locator("h1")).to_have_text("Badge two")
    assert f"/incidents/{second}?" in page.url
    expect(page.locator("#done")).to_have_text(f"{first} · It is resolved.")
    page.locator("#done a").click()
    expect(page.locator(".about .status")).to_have_text("resolved")
    offered = page.locator(".actions").inner_text()
    assert "Reopen" in offered
    assert "Resolve" not in offered


def test_a_link_shows_its_record_and_is_removed_beside_it(
    desk: Desk, look: Look
) -> None:
    one, other = _opened(desk, "Gate one"), _opened(desk, "Gate two")
    commanded(desk, f"/{one}/link", relation="related", target=other)
    page = look(f"/incidents/{one}")
    related = page.get_by_label("Related")
    expect(related).to_contain_text("Gate two acknowledged")
    related.get_by_role("button", name="Remove the link").click()
    expect(page.locator("#done")).to_have_text("The link is removed.")
    expect(page.locator("#related")).to_have_count(0)


def test_a_conflict_shows_what_happened_meanwhile_and_keeps_the_text(
    desk: Desk, look: Look
) -> None:
    ref = _opened(desk, "Two agents")
    page = look(f"/incidents/{ref}", who="manager")
    page.keyboard.press("e")
    page.keyboard.type("Rebooted")
    commanded(desk, f"/{ref}/note", note="The vendor is on it")
    expect(page.locator(".timeline")).to_contain_text("The vendor is on it")

    resolve = page.locator("#act-resolve")
    resolve.get_by_role("button", name="Resolve", exact=True).click()
    expect(resolve.locator(".meanwhile li")).to_contain_text(["The vendor is on it"])
    note = resolve.locator("[name=note]")
    expect(note).to_have_value("Rebooted")

    resolve.get_by_role("button", name="Resolve", exact=True).click()
    expect(page.locator(".about .status")).to_have_text("resolved")


def test_two_agents_see_each_other_and_what_changes_under_a_form(
    desk: Desk, look: Look
) -> None:
    ref = _opened(desk, "Two at once")
    mine = look(f"/incidents/{ref}")
    theirs = look(f"/incidents/{ref}", who="manager", locale="fr-FR")
    expect(mine.locator("#presence")).to_contain_text(" is here")
    before = mine.locator("h1").bounding_box()
    theirs.keyboard.press("n")
    expect(theirs.locator("#note-note")).to_be_focused()
    theirs.keyboard.type("Restarting it")
    expect(mine.locator("#presence")).to_contain_text(" is writing a note")
    expect(theirs.locator("#presence")).to_contain_text(" est là")
    assert mine.locator("h1").bounding_box() == before

    mine.keyboard.press("e")
    expect(mine.locator("#resolve-note")).to_be_focused()
    mine.keyboard.type("Rebooted")
    theirs.locator("#act-note [type=submit]").click()
    changed = mine.locator("#act-resolve .changed")
    expect(changed.locator("li")).to_contain_text(["Restarting it"])
    expect(mine.locator("#presence")).to_contain_text(" is here")
    changed.get_by_role("button").click()
    expect(mine.locator("#resolve-note")).to_be_focused()
    mine.locator("#act-resolve [type=submit]").first.click()
    expect(mine.locator(".about .status")).to_have_text("resolved")

    theirs.close()
    # A browser may drop what a page says while it closes: then the visit expires.
    expect(mine.locator("#presence")).to_be_empty(timeout=LEFT_MS)


def test_what_is_typed_while_intake_is_killed_is_kept_and_acts_once(
    desk: Desk, look: Look
) -> None:
    ref = _opened(desk, "Intake is away")
    page = look(f"/incidents/{ref}")
    page.keyboard.press("n")
    page.keyboard.type("Typed meanwhile")
    form = page.locator("#act-note")
    desk.services["intake"].kill()
    form.get_by_role("button").click()
    expect(form.locator(".no")).to_contain_text("send it again")
    expect(form.locator("[name=note]")).to_have_value("Typed meanwhile")

    desk.services["intake"].start()
    desk.until_commands_are_taken()
    form.get_by_role("button").click()
    noted = page.locator(".timeline p", has_text="Typed meanwhile")
    expect(noted).to_have_count(1)


def test_it_all_works_without_a_script(desk: Desk, look: Look) -> None:
    ref = _opened(desk, "No script")
    other = _opened(desk, "The same again")
    page = look(f"/incidents/{ref}", java_script_enabled=False)

    page.locator("#do-remind summary").click()
    page.locator("#act-remind [name=for]").select_option(label="2 hours")
    page.locator("#act-remind [name=note]").fill("Did they call?")
    page.locator("#act-remind button").click()
    expect(page.locator(".reminder")).to_contain_text("Did they call?")
    page.locator("#do-remind summary").click()
    page.locator("#act-remind [name=for]").select_option(label="1 hour")
    page.locator("#act-remind [name=note]").fill("Is the part there?")
    page.locator("#act-remind button").click()
    expect(page.locator(".reminder")).to_have_count(2)
    page.locator(".reminder", has_text="Did they call?").get_by_role("button").click()
    expect(page.locator(".reminder")).to_have_count(1)
    expect(page.locator(".reminder")).to_contain_text("Is the part there?")

    page.goto(f"{desk.api_url}/incidents/{ref}?do=merge&into={other}")
    page.locator("#act-merge button").click()
    expect(page.locator(".about .status")).to_have_text("merged")
    page.get_by_role("link", name="notes").click()
    expect(page.locator(".timeline li")).to_have_count(0)


def test_what_is_proposed_for_a_merge_is_put_into_the_form_that_is_open(
    desk: Desk, look: Look
) -> None:
    ref = _opened(desk, "Cash desk frozen")
    other = _opened(desk, "Cash desk frozen again")
    page = look(f"/incidents/{ref}")
    page.locator("#do-note summary").click()
    page.locator("#act-note textarea").fill("Not to be lost")

    mine = page.locator("[data-me]").get_attribute("data-me")
    kept = page.evaluate("Object.keys(sessionStorage)")
    assert kept == [f"draft:{mine}:/incidents/{ref}/note"]  # of one person

    page.locator("#do-note > summary").click()
    merge = page.locator("#do-merge > summary")
    place = "each => [each.offsetLeft, each.offsetTop]"
    before = merge.evaluate(place)
    merge.click()
    assert merge.evaluate(place) == before  # what is opened does not move
    page.locator(f"#do-merge a[data-value={other}]").click()

    expect(page.locator("#merge-into")).to_have_value(other)
    expect(page.locator("#act-note textarea")).to_have_value("Not to be lost")


def test_nothing_is_offered_to_who_may_only_read(desk: Desk, look: Look) -> None:
    ref = _opened(desk, "Read only")
    page = look(f"/incidents/{ref}", who="auditor")

    expect(page.locator(".timeline")).to_be_visible()
    expect(page.locator(".actions form")).to_have_count(0)


def test_a_screenshot_is_attached_to_an_incident_and_shown_encoded_again(
    desk: Desk, look: Look
) -> None:
    ref = _opened(desk, "The form is blank")
    page = look(f"/incidents/{ref}")

    shot = {"name": "blank form.png", "mimeType": "image/png", "buffer": picture()}
    page.get_by_label("Attach files").set_input_files(shot)  # type: ignore[arg-type] # as playwright takes it
    page.get_by_role("button", name="Attach", exact=True).click()

    expect(page.locator("#done")).to_have_text("The files are attached.")
    preview = page.locator(".preview img")
    expect(preview).to_have_js_property("complete", value=True)
    assert preview.evaluate("image => image.naturalWidth") > 0
    with page.expect_download() as downloaded:
        page.get_by_role("link", name="blank form.png", exact=True).click()
    assert downloaded.value.path().read_bytes() == picture()

    stranger = page.request.post(
        f"{desk.api_url}/incidents/{ref}/files",
        multipart={"csrf": "f" * 64, "file": shot},  # type: ignore[dict-item] # as playwright takes it
    )
    assert stranger.status == 403
    expect(page.locator(".files li")).to_have_count(1)


def test_one_box_finds_incidents_pages_and_the_actions_of_the_page(
    desk: Desk, look: Look
) -> None:
    alert = {"title": "Turnstile unplugged", "severity": "error", "service": "mail"}
    (ref,) = signalled(desk, {**alert, "dedup_key": "turnstile"})
    until(lambda: _finds(desk, "turnstile"), "the words are indexed")
    page = look("/")

    page.keyboard.press("Control+k")
    expect(page.locator("#found-here")).to_contain_text("My incidents")
    page.keyboard.type("turnstile")
    # As a list: others may have been found before the last letter.
    expect(page.locator("#found-here li")).to_contain_text([ref])
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Turnstile unplugged")

    page.wait_for_selector("#feed.is-live")
    page.keyboard.press("Control+k")
    page.keyboard.type("note")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#do-note textarea")).to_be_focused()

    page.keyboard.press("Control+k")
    page.locator("#finder input").fill("take it on")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#done")).to_have_text("You have taken it on.")

    page.goto(f"{desk.api_url}/contacts/new")
    page.keyboard.press("Control+k")
    expect(page.locator("#found-here")).to_contain_text("My incidents")

    page.goto(f"{desk.api_url}/find?q=load")
    page.get_by_role("link", name="Load").click()
    expect(page.locator("h1")).to_have_text("Load")


def test_a_telephone_shows_the_story_and_keeps_what_was_unfolded(
    desk: Desk, look: Look
) -> None:
    ref = _opened(desk, "Gate on a telephone")
    page = look(f"/incidents/{ref}", viewport={"width": 375, "height": 760})
    facts, files = page.locator("#fold-facts"), page.locator("#fold-files")
    for each in (facts, files):
        expect(each).not_to_have_attribute("open", "")
    facts.locator("summary").click()

    commanded(desk, f"/{ref}/note", note="The guard is told")

    expect(page.locator(".story")).to_contain_text("The guard is told")
    expect(facts).to_have_attribute("open", "")
    expect(files).not_to_have_attribute("open", "")
    page.set_viewport_size({"width": 1280, "height": 760})
    expect(files).to_have_attribute("open", "")

    wide = look(f"/incidents/{ref}")
    expect(wide.locator("#fold-files")).to_have_attribute("open", "")
    expect(wide.locator(".story")).not_to_contain_text("sets the time to resolve")
    wide.locator("#promise-ttr > summary").click()
    expect(wide.locator("#promise-ttr .decided")).to_contain_text(
        "sets the time to resolve"
    )
