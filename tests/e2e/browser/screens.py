"""Every screen of the desk, how to reach it, and what is there to be shown.

`tests/architecture/test_screens.py` compares the list with the routes of the desk: a
new page is listed here, or named there with the reason why nobody looks at it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from playwright.sync_api import Page, expect

from tests.e2e.browser.shown.commands import (
    AHEAD,
)

Act = Callable[[Page], None]


@dataclass(frozen=True, slots=True)
class Screen:
    """A page as somebody sees it: its address, who looks, and what they did there.

    `{names}` in the address are those of `places`.
    """

    name: str
    path: str
    who: str | None = "agent"
    act: Act | None = None


def _press(*keys: str) -> Act:
    def act(page: Page) -> None:
        page.wait_for_selector("#feed.is-live")
        for key in keys:
            page.keyboard.press(key)
        expect(page.locator("dialog[open]")).to_be_visible()

    return act


def _find(page: Page) -> None:
    _press("Control+k")(page)
    expect(page.locator("#found-here li").first).to_be_visible()


def _unfold(page: Page) -> None:
    page.evaluate(
        """() => { for (const one of document.querySelectorAll("details")) {
            one.removeAttribute("name");
            one.open = true;
        } }"""
    )


def _bulk(*steps: str) -> Act:
    """Return what cancels the only incident of a queue, as far as these steps."""

    def act(page: Page) -> None:
        page.check("tr[data-ref] input[name=ref]")
        page.select_option("#bulk-verb", "cancel")
        page.locator("#bulk button").click()
        page.select_option("#bulk-reason", "test")
        for step in steps:
            page.locator(f"button[value={step}]").click()
            expect(page.locator(".outcomes")).to_be_visible()

    return act


@contextmanager
def _looked_up(page: Page) -> Iterator[None]:
    """Wait until what was typed here is looked up and shown.

    Each field asks by itself, some after a pause: whoever goes on sees the page change.
    """
    with page.expect_response(lambda answer: answer.url.endswith("/look-up")):
        yield
    expect(page.locator(".htmx-request")).to_have_count(0)


def _call(page: Page) -> None:
    with _looked_up(page):
        page.fill("#caller", "lefevre")
    expect(page.locator("#person-lefevre")).to_be_checked()
    with _looked_up(page):
        page.fill("#words", "The portal is down")
    with _looked_up(page):
        page.select_option("#service", "web")
    expect(page.locator("#incident-new")).to_be_visible()


def _new_caller(page: Page) -> None:
    with _looked_up(page):
        page.fill("#caller", "Ulla Unheard")
    with _looked_up(page):
        page.check("#person-new")
    expect(page.locator("#caller_phone")).to_be_visible()
    expect(page.locator("#clients option").first).to_be_attached()


def _record(page: Page) -> None:
    _call(page)
    page.locator(".send button").first.click()
    expect(page.locator("#receipt")).to_be_visible()


def _record_nothing(page: Page) -> None:
    page.locator(".send button").first.click()
    expect(page.get_by_role("alert")).to_be_visible()


def _conflict(page: Page) -> None:
    page.wait_for_selector("#feed.is-live")
    page.locator("#do-resolve > summary").click()
    page.locator("#act-resolve [name=note]").fill("Restarted")
    page.locator("#act-resolve [name=version]").evaluate("field => field.value = '1'")
    page.locator("#act-resolve button").first.click()
    expect(page.locator("#act-resolve .no")).to_be_visible()


def _send(selector: str, **fields: str) -> Act:
    def act(page: Page) -> None:
        for name, value in fields.items():
            page.locator(f"[name={name}]").first.fill(value)
        page.locator(selector).first.click()
        expect(page.locator("[role=alert], [role=status], #reference")).to_be_visible()

    return act


def _import_unknown(page: Page) -> None:
    """Preview the import of a shift of somebody whom the desk does not know."""
    begins = datetime.now(UTC) + AHEAD
    event = f"SUMMARY:Night\nDTSTART:{begins:%Y%m%d}T180000Z\nDURATION:PT8H"
    page.fill("[name=from]", f"{begins:%Y-%m-%d}")
    page.fill("[name=to]", f"{begins + timedelta(days=3):%Y-%m-%d}")
    lines = "BEGIN:VCALENDAR", "BEGIN:VEVENT", event, "END:VEVENT", "END:VCALENDAR"
    page.fill("[name=text]", "\n".join(lines))
    page.locator("main button[value=preview]").click()
    expect(page.locator("main [role=alert]")).to_be_visible()


def _change(shown: str, **people: str) -> Act:
    """Return what fills in the form of an override of a day, and previews it.

    People without other shifts: what there is to consider would depend on the day.
    """

    def act(page: Page) -> None:
        begins = datetime.now(UTC) + AHEAD
        for name, at in (("start", begins), ("end", begins + timedelta(days=1))):
            page.fill(f"[name={name}]", f"{at:%Y-%m-%dT%H:%M}")
        page.fill("[name=add]", people.get("add", ""))
        page.select_option("[name=remove]", people.get("remove", ""))
        page.select_option("[name=role]", "secondary")
        page.locator("main button[value=preview]").click()
        expect(page.locator(f"main {shown}")).to_be_visible()

    return act


SCREENS = (
    Screen("queue", "/?filter={acknowledged}"),
    Screen("queue with all its panels", "/?filter={acknowledged}", act=_unfold),
    Screen("queue with a wrong filter", "/?filter=priority:p9"),
    Screen("queue of a team", "/?queue=desk&filter={new}"),
    Screen("queue of what has ended", "/?status=closed&status=cancelled&q=shown"),
    Screen("empty desk", "/", who="stranger"),
    Screen("search", "/?q=shown"),
    Screen("keys", "/?filter={new}", act=_press("?")),
    Screen("finder", "/?filter={new}", act=_find),
    Screen("find", "/find?q=load"),
    Screen("load", "/load"),
    Screen("bulk form", "/?filter={bulk}", act=_bulk()),
    Screen("bulk preview", "/?filter={bulk}", act=_bulk("preview")),
    *(
        Screen(f"incident {status}", f"/incidents/{{{status}}}")
        for status in ("new", "paused", "resolved", "closed", "cancelled", "merged")
    ),
    Screen("incident with all forms", "/incidents/{acknowledged}", act=_unfold),
    Screen("incident in conflict", "/incidents/{acknowledged}", act=_conflict),
    Screen("incident for an auditor", "/incidents/{paused}", who="auditor"),
    Screen("why me", "/incidents/{acknowledged}/why"),
    Screen("why a colleague", "/incidents/{acknowledged}/why?person=sylvie"),
    Screen("problem", "/problems/{problem}"),
    Screen("change", "/changes/{change}"),
    Screen("external record", "/records/configuration_item/{record}"),
    Screen("incident that is unknown", "/incidents/INC-999999"),
    Screen("contact", "/contacts/new"),
    Screen("contact looked up", "/contacts/new", act=_call),
    Screen("contact of a new caller", "/contacts/new", act=_new_caller),
    Screen("contact recorded", "/contacts/new", act=_record),
    Screen("contact refused", "/contacts/new", act=_record_nothing),
    Screen("sessions", "/sessions"),
    Screen("sessions of everybody", "/sessions?everybody=1", who="admin"),
    Screen("sessions of others, refused", "/sessions?everybody=1"),
    Screen("contact methods", "/me/contact-methods", who="reached"),
    Screen("contact methods tested", "/me/contact-methods", who="tested"),
    Screen("contact methods of a stranger", "/me/contact-methods", who="stranger"),
    Screen("people", "/people", who="admin"),
    Screen("people, refused", "/people"),
    Screen("person", "/person/lefevre", who="admin", act=_unfold),
    Screen("person to remove", "/person/costa/removal", who="admin"),
    Screen("import of people", "/people/import", who="admin"),
    Screen("invitations", "/people/invitations", who="admin", act=_unfold),
    Screen("review of rights", "/people/review", who="admin"),
    Screen("who read what", "/audit/reads", who="auditor"),
    Screen(
        "who would be paged", "/on-call/preview?service=web&priority=p1&team=support"
    ),
    Screen("sources", "/sources", who="admin"),
    Screen("metrics", "/figures?from=2025-06-01&last=2025-06-30", act=_unfold),
    Screen(
        "metrics of a service by team",
        "/figures?from=2025-06-01&last=2025-06-30&service=web&by=team",
        who="auditor",
    ),
    Screen("metrics of a wrong period", "/figures?from=2025-06-30&last=2025-06-01"),
    Screen("surveys", "/surveys", who="manager"),
    Screen("reviews", "/reviews?status=all"),
    Screen("actions of reviews", "/reviews/actions"),
    Screen("review", "/incidents/{reviewed}/review", who="manager", act=_unfold),
    Screen("review to read", "/incidents/{reviewed}/review/document?edition=1"),
    Screen("operations", "/operations"),
    Screen("parked events", "/parked", who="auditor"),
    Screen("parked stream", "/parked/timeline/{parked}", who="admin"),
    Screen("parked stream to read", "/parked/timeline/{parked}"),
    Screen("month reports", "/month-reports", who="manager"),
    Screen("month report", "/month-reports/ours/2025-06", act=_unfold),
    Screen("quarantine", "/quarantine", who="manager"),
    Screen("quarantine without a match", "/quarantine?source=nowhere"),
    Screen("element in quarantine", "/quarantine/{element}", who="admin"),
    Screen("heartbeats", "/heartbeats"),
    Screen("source", "/sources/demo"),
    Screen("maintenance", "/maintenance", who="manager"),
    Screen("maintenance to read", "/maintenance", who="auditor"),
    Screen("handed over", "/handovers?state=all", who="manager", act=_unfold),
    Screen("nothing handed over", "/handovers?kind=service"),
    Screen("policies", "/policy", who="auditor"),
    Screen("policy", "/policy/1", who="manager", act=_unfold),
    Screen("audit", "/audit", who="auditor"),
    Screen(
        "audit of a wrong period", "/audit?from=2025-06-30&last=2025-06-01", "auditor"
    ),
    Screen("kind to judge", "/audit/kinds/policies", who="auditor"),
    Screen("kind without entries", "/audit/kinds/epochs", who="admin"),
    Screen("event in the chain", "/audit/log/1", who="auditor"),
    Screen("chain", "/audit/chain", who="auditor"),
    Screen("sample", "/audit/sample", who="auditor", act=_unfold),
    Screen("sample drawn", "/audit/sample?seed=1&size=2", who="auditor"),
    Screen("incident to audit", "/audit/incidents/{closed}", who="auditor"),
    Screen("survey results", "/surveys/visits", who="manager"),
    Screen("on call", "/on-call"),
    Screen("on call of a manager", "/on-call", who="manager"),
    Screen("calendar of on call", "/on-call/night?from=2027-03-22&weeks=2"),
    Screen("own shifts", "/on-call/mine"),
    Screen("calendars of shifts", "/on-call/calendars"),
    Screen("import of shifts", "/on-call/night/import", who="manager"),
    Screen(
        "import of shifts refused",
        "/on-call/night/import",
        who="manager",
        act=_import_unknown,
    ),
    Screen("change of on call", "/on-call/night/changes/add_override"),
    Screen(
        "change of on call previewed",
        "/on-call/night/changes/add_override",
        who="manager",
        act=_change("[value=confirm]", add="lefevre"),
    ),
    Screen(
        "change of on call refused",
        "/on-call/night/changes/add_override",
        who="manager",
        act=_change("[role=alert]", remove="sylvie"),
    ),
    Screen("swap to ask for", "/on-call/night/changes/request_swap"),
    Screen("absence", "/on-call/mine/changes/add_absence"),
    Screen(
        "temporary schedule",
        "/on-call/night/changes/add_temporary_schedule",
        who="manager",
    ),
    Screen("swap to answer", "/on-call/night/swaps/{swap}", who="admin"),
    Screen("sign-in", "/", who=None),
    Screen(
        "sign-in refused", "/", who=None, act=_send("main button", token="pmn_wrong")
    ),
    Screen(
        "link mailed",
        "/",
        who=None,
        act=_send("[action='/sign-in/mail'] button", email="nobody@desk.example"),
    ),
    Screen("link", "/sign-in/link/psl_shown", who=None),
    Screen("signed out", "/signed-out", who=None),
    Screen("page of a user", "/my/{user}", who=None),
    Screen("page of a user answered", "/my/{user}?done=words", who=None),
    Screen("page of a user, unknown", "/my/unknown", who=None),
    Screen("page to answer", "/take/{page}", who=None),
    Screen("page answered", "/take/{declined}?done=decline", who=None),
    Screen("page to answer, unknown", "/take/unknown", who=None),
    Screen("bundle to answer, unknown", "/take-all/unknown", who=None),
    Screen("answer", "/answer/{answer}", who=None),
    Screen("answer, unknown", "/answer/unknown", who=None),
    Screen("survey", "/survey/{survey}", who=None),
    Screen("survey answered", "/survey/{survey_answered}", who=None),
    Screen("survey, unknown", "/survey/unknown", who=None),
    Screen("month report by link", "/month-report/{month_report}", who=None),
    Screen("month report by link, unknown", "/month-report/unknown", who=None),
    Screen("page test", "/page-test/{page_test}", who=None),
    Screen("page test answered", "/page-test/{page_test_answered}", who=None),
    Screen("page test, unknown", "/page-test/unknown", who=None),
    Screen("report", "/report", who=None),
    Screen(
        "report sent",
        "/report",
        who=None,
        act=_send("form button", email="zoe@shown.example", words="It is slow"),
    ),
    Screen("accessibility", "/accessibility", who=None),
    Screen("data of users", "/your-data", who=None),
)
