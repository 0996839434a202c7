"""On call in a browser: who it is now, the calendar, and changes of it by form."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from playwright.sync_api import Page, expect

from tests.e2e.browser.conftest import Look
from tests.e2e.browser.shown.commands import commanded
from tests.support.desks.running import Desk

PARIS = ZoneInfo("Europe/Paris")
TOLD_IN_TIME = timedelta(days=20)
"""Longer ahead than the notice below which the desk warns."""


class Span(NamedTuple):
    """A shift, as the fields of a form take it: local time of its schedule."""

    start: str
    end: str

    @property
    def week(self) -> str:
        """The calendar of its week."""
        return f"/on-call/night?from={self.start[:10]}&weeks=1"


def _shifts(desk: Desk, person: str) -> list[Span]:
    """Return the next shifts of a person that nobody changed."""
    first = datetime.now(UTC) + TOLD_IN_TIME
    asked = {"from": first.date(), "to": (first + timedelta(days=120)).date()}
    answer = desk.get(
        "/v1/oncall/night/shifts",
        params={name: str(day) for name, day in asked.items()},
    )
    return [
        Span(_local(each["from"]), _local(each["to"]))
        for each in answer.json()["shifts"]
        if each["people"] == [person] and not each["changes"]
    ]


def _local(instant: str) -> str:
    at = datetime.fromisoformat(instant).astimezone(PARIS)
    return f"{at:%Y-%m-%dT%H:%M}"


def _fill(page: Page, verb: str, **fields: str) -> None:
    for name, value in fields.items():
        field = page.locator(f"#{verb}-{name}")
        if name == "remove":
            field.select_option(value)
        else:
            field.fill(value)


def _preview(page: Page) -> None:
    page.locator("main button[value=preview]").click()
    expect(page.locator("main button[value=confirm]")).to_be_focused()


def test_the_head_of_a_page_leads_to_who_is_on_call_and_to_the_calendar(
    look: Look,
) -> None:
    page = look()
    page.locator("header a[href='/on-call']").click()
    rows = page.locator("main tbody tr", has_text="night")
    expect(rows).to_have_count(2)
    expect(rows.last).to_contain_text("secondary")
    expect(rows.last).to_contain_text("sylvie")

    page.goto(page.url + "/night?from=2027-03-22&weeks=1")
    # The night in which clocks go forward ends at its midnight, as the others.
    days = page.locator("main tbody td")
    expect(days).to_have_count(7)
    expect(days.nth(0).locator("li").last).to_contain_text("from 18:00")
    expect(days.nth(1).locator("li.gap")).to_contain_text("nobody")
    expect(days.nth(1).locator("li.gap")).to_contain_text("08:00–18:00")
    expect(days.nth(6).locator("li").last).to_contain_text("all day")
    expect(page.locator("p.gaps")).to_contain_text("Nobody is on call in")
    own = page.locator("main td li.own")
    expect(own.first).to_contain_text("(you)")

    page.locator("nav.steps a", has_text="Next").press("Enter")
    expect(page.locator("p.span")).to_contain_text("29 March 2027")
    page.locator("nav.steps a", has_text="Month").press("Enter")
    expect(page.locator("main tbody tr")).to_have_count(5)
    page.locator("main nav a", has_text="secondary").press("Enter")
    expect(page.locator("main td li.gap")).to_have_count(0)


def test_managers_test_the_pages_of_those_on_call_and_see_the_last_test(
    look: Look,
) -> None:
    agent = look("/on-call")
    expect(agent.locator("main form[action$='/page-tests']")).to_have_count(0)

    page = look("/on-call", who="manager")
    row = page.locator("main tbody tr", has_text="secondary")
    expect(row).to_contain_text("No test has reached them yet.")
    page.get_by_role("button", name="Test their pages").click()

    # Whether it is possible depends on who is on call now, and on the hour.
    told = page.locator("#done:not(:empty), main [role=alert]")
    expect(told.first).to_be_visible()


def test_a_change_is_seen_before_it_is_recorded_and_marked_until_it_is_withdrawn(
    look: Look, desk: Desk
) -> None:
    span = _shifts(desk, "sylvie")[0]
    page = look("/on-call/night/changes/add_override")
    _fill(page, "add_override", add="nadia", remove="sylvie", **span._asdict())
    _preview(page)

    expect(page.locator("main [role=status]")).to_contain_text("Nothing was changed")
    changed = page.locator("main tbody tr")
    expect(changed).to_have_count(1)
    expect(changed.locator("td").nth(2)).to_have_text("sylvie")
    expect(changed.locator("td").nth(3)).to_contain_text("nadia (you)")
    page.keyboard.press("Enter")
    expect(page.locator("#done")).to_have_text("The change is recorded.")
    page.goto(f"{desk.api_url}{span.week}")
    expect(page.locator("td li", has_text="in the place of sylvie")).not_to_have_count(
        0
    )

    mine = page.locator("ul.changes li", has_text="(you) in the place of sylvie")
    mine.locator("button").click()
    expect(page.locator("#done")).to_have_text("The change is withdrawn.")
    page.goto(f"{desk.api_url}{span.week}")
    expect(page.locator("td li", has_text="in the place of sylvie")).to_have_count(0)


def test_a_swap_waits_for_the_colleague_who_sees_what_it_changes(
    look: Look, desk: Desk
) -> None:
    mine, theirs = _shifts(desk, "nadia")[0], _shifts(desk, "sylvie")[-1]
    page = look("/on-call/mine")
    page.locator(f"a[href*='start={mine.start[:10]}']").first.click()
    expect(page.locator("#request_swap-start")).to_have_value(mine.start)
    exchange = {"other_start": theirs.start, "other_end": theirs.end}
    _fill(page, "request_swap", other="sylvie", **exchange)
    _preview(page)
    expect(page.locator("main tbody tr")).to_have_count(2)
    page.keyboard.press("Enter")
    expect(page.locator("#done")).to_have_text("The swap is asked for.")
    expect(page.locator("ul.changes")).to_contain_text("awaits an answer")
    swapped = page.locator("td small.reason", has_text="swap")
    expect(swapped).to_have_count(0)

    other = look("/on-call/mine", who="manager")
    other.locator("ul.changes a", has_text="Answer").click()
    expect(other.locator("main tbody tr")).to_have_count(2)
    other.locator("main button", has_text="Accept").click()
    expect(other.locator("#done")).to_have_text("The swap is accepted.")
    page.goto(f"{desk.api_url}{mine.week}")
    marked = page.locator("td li", has_text="swap, in the place of nadia")
    expect(marked.first).to_contain_text("sylvie")


def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_stays(
    look: Look, desk: Desk
) -> None:
    span = _shifts(desk, "sylvie")[0]
    page = look("/on-call/night/changes/add_override?lang=fr")
    _fill(page, "add_override", start=span.end, end=span.start)
    page.locator("main button[value=preview]").click()
    expect(page.locator("#add_override-add-problem")).to_have_text(
        "Indiquez qui est d’astreinte."
    )
    _fill(page, "add_override", add="nadia")
    page.locator("main button[value=preview]").click()
    expect(page.locator("#add_override-end-problem")).to_contain_text(
        "La fin précède le début"
    )
    expect(page.locator("#add_override-end")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#add_override-start")).to_have_value(span.end)
    expect(page.locator("#add_override-add")).to_have_value("nadia")

    others = {"add": "sylvie", "remove": "nadia", "start": span.start, "end": span.end}
    _fill(page, "add_override", **others)
    page.locator("main button[value=preview]").click()
    expect(page.locator("main [role=alert]")).to_contain_text("demandez un échange")


def test_people_declare_absences_and_a_manager_plans_days_with_a_temporary_schedule(
    look: Look, desk: Desk
) -> None:
    span = _shifts(desk, "nadia")[1]
    page = look("/on-call/mine/changes/add_absence")
    expect(page.locator("#add_absence-person")).to_have_value("nadia")
    _fill(page, "add_absence", **_in_utc(span))
    _preview(page)
    expect(page.locator("main tbody tr")).to_contain_text("sylvie")
    page.keyboard.press("Enter")
    expect(page.locator("#done")).to_have_text("The absence is declared.")
    away = page.locator("ul.changes li button")
    away.last.click()
    expect(page.locator("#done")).to_have_text("The change is withdrawn.")

    manager = look("/on-call/night/changes/add_temporary_schedule", who="manager")
    manager.locator("main fieldset label", has_text="nadia").click()
    manager.locator("main fieldset label", has_text="sylvie").click()
    _fill(manager, "add_temporary_schedule", **span._asdict())
    _preview(manager)
    manager.keyboard.press("Enter")
    expect(manager.locator("#done")).to_have_text("The temporary schedule is recorded.")
    manager.goto(f"{desk.api_url}{span.week}")
    expect(manager.locator("td li", has_text="temporary schedule")).not_to_have_count(0)


def _in_utc(span: Span) -> Mapping[str, str]:
    """Return a span in the zone of somebody who is in no directory."""
    local = {name: datetime.fromisoformat(at) for name, at in span._asdict().items()}
    return {
        name: f"{at.replace(tzinfo=PARIS).astimezone(UTC):%Y-%m-%dT%H:%M}"
        for name, at in local.items()
    }


def test_a_manager_asks_about_a_colleague_who_sees_it(desk: Desk, look: Look) -> None:
    ref = commanded(desk, "", title="Asked about", service="mail", impact="low")
    page = look(f"/incidents/{ref}/why?person=nadia", who="manager")
    page.fill("#reason", "The customer asks")
    page.locator("form[method=post][action$='/why'] button").click()
    expect(page.locator("#ask")).to_have_count(0)
    expect(page.locator("main [role=alert]")).to_have_count(0)

    own = look(f"/incidents/{ref}/why")

    expect(own.locator("main ul li")).to_contain_text("The customer asks")
    expect(own.locator("main ul li")).to_contain_text("sylvie")
