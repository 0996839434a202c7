"""A person looks at the desk in a browser: the queue lives, the timeline is told."""

import pytest
from playwright.sync_api import Route, expect

from tests.e2e.browser.conftest import Look
from tests.e2e.browser.shown.commands import commanded
from tests.support.desks.running import Desk
from tests.support.patience import BUSY, awaited

HOSTILE = "<script>document.title='owned'</script>\"'&amp; \u202eتوقف الخادم"


def opened(desk: Desk, title: str) -> str:
    return commanded(
        desk, "", title=title, service="mail", impact="high", urgency="low"
    )


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
    commanded(desk, f"/{ref}/pause", reason="vendor")
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

    commanded(desk, f"/{ref}/pause", reason="user", question="Since when?")
    expect(timeline).to_contain_text("nadia paused it, waiting for the user")

    page.get_by_title("Français").click()
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    expect(page.locator(".status")).to_have_text("en attente")
    expect(timeline).to_contain_text("nadia l’a mis en attente (utilisateur)")
    page.locator(".back a").click()
    expect(page.locator(".leave button")).to_have_text("Se déconnecter")


def test_a_hostile_title_is_text(desk: Desk, look: Look) -> None:
    ref = opened(desk, HOSTILE)
    page = look()

    expect(page.locator(f"#{ref} bdi")).to_have_text(HOSTILE)
    later = opened(desk, f"{HOSTILE} again")
    expect(page.locator(f"#{later} bdi")).to_have_text(f"{HOSTILE} again")
    page.locator(f"#{ref}").click()
    expect(page.locator("h1")).to_have_text(HOSTILE)
    expect(page).to_have_title(f"{ref} · Permanence")
    assert page.locator("script:not([src^='/assets/'])").count() == 0


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
    page = look(viewport={"width": 375, "height": 812}, locale=locale)
    team = page.locator(f"tr[data-ref={ref}] .of-team")

    for name in ("mail", "network", "service-desk", "infrastructure"):
        assert team.evaluate(_LINES_OF_WHO, name) == 1


@pytest.mark.parametrize("locale", ["en-GB", "fr-FR"])
def test_each_queue_is_seen_whole_on_a_desktop(look: Look, locale: str) -> None:
    page = look(viewport={"width": 1280, "height": 800}, locale=locale)

    assert page.locator(".queues").evaluate(_ENDS) <= 1280


def test_on_a_narrow_telephone_no_word_lies_over_another(
    desk: Desk, look: Look
) -> None:
    ref = opened(desk, "Narrow")
    page = look(viewport={"width": 320, "height": 640}, locale="fr-FR")
    row = page.locator(f"tr[data-ref={ref}]")

    assert row.evaluate(_STATUS_LIES_OVER_TEAM) is False


_ENDS = """nav => Math.max(...[...nav.children].map(
    each => each.getBoundingClientRect().right))"""
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
    page = look("/", who=None)
    page.locator("#token").fill("pmn_wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("unknown, expired or revoked")

    page = look()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading")).to_have_text("Sign in")
    page.goto(f"{desk.api_url}/")
    expect(page.get_by_role("heading")).to_have_text("Sign in")


def test_it_is_read_without_a_script(desk: Desk, look: Look) -> None:
    ref = opened(desk, "No script")
    page = look(f"/incidents/{ref}", java_script_enabled=False)

    expect(page.locator("h1")).to_have_text("No script")
    expect(page.locator(".zone")).to_contain_text("All times: ")


def test_the_description_of_the_api_is_drawn_under_its_content_policy(
    look: Look,
) -> None:
    page = look("/docs", who=None)

    expect(page.get_by_text("/v1/queues", exact=True).first).to_be_visible()


def test_an_action_waits_for_who_reads_what_changed_and_then_acts_once(
    look: Look, desk: Desk
) -> None:
    ref = opened(desk, "Payroll totals are wrong")
    page = look(f"/incidents/{ref}", who="manager")
    page.keyboard.press("r")
    page.keyboard.type("We are looking into it.")
    commanded(desk, f"/{ref}/classify", urgency="high", reason="payday")
    expect(page.locator(".timeline")).to_contain_text("urgency high")
    message = page.locator("#inform-message")
    expect(message).to_have_value("We are looking into it.")

    page.locator("#act-inform [type=submit]").click()
    expect(page.locator(".no")).to_contain_text("Your text is kept")
    expect(message).to_have_value("We are looking into it.")

    page.locator("#act-inform [type=submit]").click()
    expect(page.locator("#done")).to_be_visible()
    expect(page.locator(".timeline")).to_contain_text("“We are looking into it.”")
    expect(message).to_be_hidden()
    page.keyboard.press("a")
    expect(page.locator(".about .status")).to_have_text("acknowledged")


def test_what_is_typed_survives_a_lost_network_and_acts_once(
    look: Look, desk: Desk
) -> None:
    ref = opened(desk, "The scanner is stuck")
    page = look(f"/incidents/{ref}")
    page.keyboard.press("r")
    page.keyboard.type("Somebody is on the way.")
    page.context.set_offline(True)
    page.locator("#act-inform button").click()
    expect(page.locator("#act-inform .unsent")).to_contain_text("Not sent.")
    page.context.set_offline(False)
    page.reload()
    expect(page.locator("#inform-message")).to_have_value("Somebody is on the way.")

    sent = page.request
    form: dict[str, str | float | bool] = {
        name: page.locator(f"#act-inform [name={name}]").input_value()
        for name in ("csrf", "key", "version", "message")
    }
    for _ in range(2):
        url = f"{desk.api_url}/incidents/{ref}/actions/inform"
        answer = awaited(
            lambda url=url: sent.post(url, form=form),  # type: ignore[misc] # mypy knows no default of a lambda
            lambda told: told.status not in BUSY,
            "it is decided",
        )
        assert answer.ok
    told = page.locator(".timeline p", has_text="Somebody is on the way.")
    expect(told).to_have_count(1)


def test_an_answer_that_is_lost_and_a_reload_act_once(look: Look, desk: Desk) -> None:
    ref = opened(desk, "The lift is stuck")
    page = look(f"/incidents/{ref}")
    page.keyboard.press("r")
    page.keyboard.type("The mechanic is called.")

    def lose(route: Route) -> None:
        route.fetch()  # it arrives and is done
        route.abort()

    page.route("**/actions/inform", lose)
    page.locator("#act-inform button[type=submit]").click()
    expect(page.locator("#act-inform .unsent")).to_contain_text("Not sent.")
    page.unroute("**/actions/inform")
    page.reload()
    message = page.locator("#act-inform textarea")
    expect(message).to_have_value("The mechanic is called.")
    page.locator("#act-inform button[type=submit]").click()

    expect(page.locator("#done")).to_be_visible()
    told = page.locator(".timeline p", has_text="“The mechanic is called.”")
    expect(told).to_have_count(1)


def test_a_form_that_we_did_not_show_acts_for_nobody(look: Look, desk: Desk) -> None:
    ref = opened(desk, "The door is locked")
    page = look(f"/incidents/{ref}")
    form: dict[str, str | float | bool] = {"csrf": "f" * 64, "message": "Kept words."}

    answer = page.request.post(
        f"{desk.api_url}/incidents/{ref}/actions/inform", form=form
    )

    assert answer.status == 403
    assert "Kept words.</textarea>" in answer.text()
    assert 'class="no" role="alert"' in answer.text()
