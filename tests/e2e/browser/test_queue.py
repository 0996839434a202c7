"""An agent's queue in a browser: filters, views, acting, and what waits for a key."""

from itertools import count

from playwright.sync_api import Page, expect

from shared.domain.identifiers import incident_ref
from tests.e2e.browser.conftest import Look
from tests.e2e.browser.shown.commands import signalled
from tests.support.desks.running import Desk

_numbers = count(1)


def opened(desk: Desk, number: int = 1, severity: str = "error") -> list[str]:
    """Open incidents that nobody has taken on, each with a title of its own."""
    alerts = [
        {
            "title": f"Queue {n}",
            "severity": severity,
            "dedup_key": f"queue-{n}",
            "service": "mail",
        }
        for n in (next(_numbers) for _ in range(number))
    ]
    return signalled(desk, *alerts)


def only(*refs: str) -> str:
    """Return the address of a queue that shows these incidents alone."""
    return f"/?filter={'+OR+'.join(refs)}"


def following(ref: str, number: int) -> list[str]:
    """Return the references of the incidents that are opened next."""
    last = int(ref.removeprefix("INC-"))
    return [incident_ref(last + n) for n in range(1, number + 1)]


def status_of(page: Page, ref: str) -> str:
    return page.locator(f"tr[data-ref={ref}] .status").inner_text()


def test_a_filter_is_typed_shown_as_chips_and_removed(desk: Desk, look: Look) -> None:
    (ref,) = opened(desk)
    page = look("/?service=mail")
    page.keyboard.press("f")
    page.keyboard.type(f"{ref} (priority:p1,p2,p3,p4 OR breached:true)")
    page.keyboard.press("Enter")

    expect(page.locator("tr[data-ref]")).to_have_count(1)
    expect(page.locator(".chips li")).to_have_count(2)
    page.locator(".chips a", has_text="Service").click()
    expect(page.locator(".chips li")).to_have_count(1)
    page.fill("#filter", "priority:p9")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("(at character 1)")
    expect(page.locator("#filter")).to_have_value("priority:p9")


def test_a_view_is_saved_with_its_columns_shared_opened_and_deleted(
    desk: Desk, look: Look
) -> None:
    (ref,) = opened(desk)
    page = look(f"/?service=mail&q={ref}x&order=reported_at")
    page.goto(f"{desk.api_url}/?service=mail&filter={ref}")
    page.locator("#save summary").click()
    page.fill("#view-name", "Mail of today")
    page.select_option("#view-audience", "everybody")
    page.get_by_label("Changed").check()
    page.locator("#save button").click()

    expect(page.locator("#done")).to_have_text("The view is saved.")
    expect(page.locator(".views [aria-current]")).to_contain_text("Mail of today")
    expect(page.locator("#filter")).to_have_value(f"service:mail ({ref})")
    expect(page.locator("thead")).to_contain_text("Changed")
    expect(page.locator("tr[data-ref]")).to_have_count(1)
    page.locator("#save summary").click()
    page.get_by_role("button", name="Delete the view").click()
    expect(page.locator("#done")).to_have_text("The view is deleted.")
    expect(page.locator(".views a", has_text="Mail of today")).to_have_count(0)


def test_rows_are_taken_on_with_one_key_and_many_with_a_preview(
    desk: Desk, look: Look
) -> None:
    first, second, third, fourth = opened(desk, 4)
    queue = f"{only(first, second, third, fourth)}&order=reported_at"
    page = look(queue)
    page.keyboard.press("j")
    page.keyboard.press("a")
    expect(page.locator("#done")).to_have_text("You have taken it on.")
    expect(page.locator(".status.acknowledged")).to_have_count(1)
    expect(page.locator("#news")).to_be_hidden()

    page.goto(f"{desk.api_url}{queue}")
    page.wait_for_selector("#feed.is-live")
    for key in ("j", "x", "J", "J", "J"):
        page.keyboard.press(key)
    expect(page.locator("#bulk .count")).to_have_text("4 selected")
    page.keyboard.press("x")
    page.locator("#bulk button").click()
    expect(page.locator(".outcomes")).to_contain_text("already so 1 will change 2")
    expect(page.locator("button[value=run]")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".outcomes")).to_have_text("done 2")
    page.get_by_text("Back to the queue").click()
    expect(page.locator(".status.acknowledged")).to_have_count(3)


def test_all_that_are_shown_are_selected_and_going_back_sends_nothing_again(
    desk: Desk, look: Look
) -> None:
    page = look(only(*opened(desk, 2)))
    page.keyboard.press("X")
    expect(page.locator("#bulk .count")).to_have_text("2 selected")
    page.locator("#select-all").uncheck()
    expect(page.locator("#bulk .count")).to_be_empty()
    page.locator("#select-all").check()
    page.locator("#bulk button").click()
    page.locator("button[value=run]").click()
    expect(page.locator(".outcomes")).to_have_text("done 2")
    page.locator(".of-incident a").first.click()
    expect(page.locator("#timeline")).to_be_visible()

    page.go_back()
    expect(page.locator(".outcomes")).to_have_text("already so 2")


def test_what_all_that_match_would_refuse_is_shown_before(
    desk: Desk, look: Look
) -> None:
    (ref,) = opened(desk)
    page = look(only(ref))
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.select_option("#bulk-scope", "matching")
    page.select_option("#bulk-verb", "merge")
    page.locator("#bulk button").click()
    page.get_by_label("Into incident").fill(ref)
    page.get_by_role("button", name="Preview").click()

    expect(page.locator(".outcomes")).to_contain_text("refused 1")
    expect(page.get_by_role("button", name="Do it")).to_have_count(0)


def test_rows_do_not_move_under_the_keyboard_until_a_key_lets_them(
    desk: Desk, look: Look
) -> None:
    first, second = opened(desk, 2, "warning")
    # Not those of others: their promises end when it suits them.
    page = look(only(first, second, *following(second, 2)))
    page.keyboard.press("j")
    before = page.locator("tr[data-ref]").evaluate_all("r => r.map(x => x.dataset.ref)")

    (ref,) = opened(desk, 1, "critical")
    expect(page.locator("#news")).to_have_text("1 change – press .")
    shown = page.locator("tr[data-ref]").evaluate_all("r => r.map(x => x.dataset.ref)")
    assert shown == before
    page.keyboard.press(".")
    expect(page.locator(f"tr[data-ref={ref}]")).to_be_visible()
    expect(page.locator("#news")).to_be_hidden()

    page.evaluate("document.activeElement.blur()")
    (ref,) = opened(desk, 1, "critical")
    expect(page.locator(f"tr[data-ref={ref}]")).to_be_visible()


def test_who_asked_for_it_hears_of_what_is_new_and_urgent(
    desk: Desk, look: Look
) -> None:
    opened(desk)
    page = look(permissions=["notifications"])
    page.evaluate(
        """() => {
            window.told = [];
            window.Notification = class {
                static permission = "granted";
                constructor(title, options) { window.told.push(title, options.body); }
            };
            Object.defineProperty(document, "hidden", { get: () => true });
        }"""
    )
    (before,) = opened(desk, 1, "critical")
    expect(page.locator(f"tr[data-ref={before}]")).to_be_visible()
    page.get_by_role("button", name="Alert me of what is urgent").click()
    expect(page.get_by_role("button", name="Alerts are on")).to_be_visible()

    (ref,) = opened(desk, 1, "critical")
    expect(page).to_have_title("(1) Queues · Permanence")
    assert page.evaluate("window.told[0]") == f"New and urgent: {ref}"


def test_it_works_without_a_script(desk: Desk, look: Look) -> None:
    first, second = opened(desk, 2)
    page = look(only(first, second), java_script_enabled=False)
    page.locator(f"tr[data-ref={first}] .quick button").click()
    expect(page.locator("#done")).to_have_text("You have taken it on.")
    assert status_of(page, first) == "acknowledged"

    page.locator("#bulk button").click()
    expect(page.get_by_role("alert")).to_contain_text("Select incidents first")
    page.goto(f"{desk.api_url}{only(first, second)}")
    page.check(f"tr[data-ref={second}] input[name=ref]")
    page.select_option("#bulk-verb", "cancel")
    page.locator("#bulk button").click()
    page.select_option("#bulk-reason", "test")
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("button", name="Do it for 1 incident").click()
    expect(page.locator(".outcomes")).to_have_text("done 1")


def test_a_form_that_we_did_not_show_acts_for_nobody(desk: Desk, look: Look) -> None:
    (ref,) = opened(desk)
    page = look(only(ref))
    forged: dict[str, str | float | bool] = {
        "csrf": "f" * 64,
        "ref": ref,
        "refs": ref,
        "verb": "acknowledge",
        "step": "preview",
        "name": "Forged",
    }

    for path in ("actions/acknowledge", "bulk", "views"):
        answer = page.request.post(f"{desk.api_url}/queue/{path}", form=forged)
        assert answer.status == 403
    page.reload()
    assert status_of(page, ref) == "new"
    expect(page.locator(".views a", has_text="Forged")).to_have_count(0)
