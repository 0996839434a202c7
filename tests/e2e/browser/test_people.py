"""People and rights in a browser: a file, a move, a session, a removal, a review."""

from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import Page, expect

from shared.domain.limits import Limits
from shared.security.access import create
from tests.e2e.browser.conftest import Look
from tests.support.desks.running import Desk
from tests.support.patience import BUSY, SECONDS, answered

TEAMS = ("desk", "mail", "web")
FORTY = "id;name;email;role;teams\n" + "".join(
    f"staff{n:02};Zoé Équipe {n};s{n}@desk.example;agent;{{{n % 3}}}\n"
    for n in range(40)
)


def _teams(desk: Desk) -> list[str]:
    answer = desk.get("/v1/oncall", "admin")
    return [each["team"] for each in answer.json()["teams"]][:3]


def _import(page: Page, text: str, folder: Path) -> None:
    file = folder / "people.csv"
    file.write_text(text, encoding="cp1252")  # as a spreadsheet saves it
    page.set_input_files("input[type=file]", file)
    page.locator("main button[type=submit]").click()


def _opened(page: Page, verb: str) -> None:
    page.locator("details.action > summary", has_text=verb).first.click()


@pytest.fixture(scope="module")
def teams(desk: Desk) -> list[str]:
    """Return three teams of the policy, in each of which somebody of the file is."""
    found = _teams(desk)
    return (found * 3)[:3]


def test_forty_people_come_from_one_file_after_a_look_at_what_it_changes(
    look: Look, teams: list[str], tmp_path: Path
) -> None:
    page = look("/people/import", who="admin")
    _import(page, FORTY.format(*teams), tmp_path)

    expect(page.locator("main [role=status]")).to_contain_text("Nothing was changed")
    expect(page.locator("tbody tr")).to_have_count(40)
    expect(page.locator("main button[type=submit]")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main [role=status]")).to_contain_text("Done:")

    page.goto(page.url.replace("/people/import", "/people?q=Zo%C3%A9 %C3%89quipe 39"))
    row = page.locator("tbody tr")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("agent")
    expect(row).to_contain_text(teams[0])
    expect(row).to_contain_text("never")


def test_what_a_file_has_wrong_and_whom_it_would_remove_is_said_and_nothing_is_done(
    look: Look, tmp_path: Path
) -> None:
    page = look("/people/import?lang=fr", who="admin")
    wrong = "identifiant;nom;rôle;équipes\nx;X;king;desk\ny;Y;agent;nowhere\n"
    _import(page, wrong, tmp_path)
    mistakes = page.locator("[role=alert] li")
    expect(mistakes.first).to_contain_text("Ligne 2, role il n’y a pas de rôle")
    expect(mistakes.last).to_contain_text("Ligne 3, teams Absent de la politique")
    expect(mistakes.last.locator("code")).to_have_text("y;Y;agent;nowhere")

    page.fill("#import-text", "id,name\nadmin,The admin\n")
    page.check("#import-missing")
    page.locator("main button[type=submit]").click()
    expect(page.locator("[role=alert]")).to_contain_text("plus de 10 %")
    expect(page.locator("#import-text")).to_have_value("id,name\nadmin,The admin\n")


def test_a_right_is_given_moved_and_withdrawn_without_a_mouse(
    look: Look, desk: Desk, teams: list[str]
) -> None:
    text = "id,name\nmovable,Mo Vable\n"
    desk.post("/v1/people/import", {"text": text}, "admin").raise_for_status()
    page = look("/person/movable", who="admin", viewport={"width": 375, "height": 700})

    page.locator("details.action > summary", has_text="Give a right").focus()
    page.keyboard.press("Enter")
    page.locator("#grant-role").select_option("agent")
    page.locator(f"input[name='teams:{teams[0]}']").press("Space")
    page.locator("#grant-reason").fill("New here")
    page.locator("#grant-reason").press("Enter")
    expect(page.locator("#done")).to_have_text("The right is given.")
    expect(page.locator("tbody").first).to_contain_text(teams[0])

    _opened(page, "Move to other teams")
    form = page.locator("form[action$='/actions/move']").first
    form.locator(f"input[name='teams:{teams[0]}']").press("Space")
    form.locator("button").click()
    expect(page.locator("main > [role=alert]")).to_contain_text("marked fields")
    expect(form.locator("fieldset.wrong")).to_have_count(1)
    form.locator(f"input[name='teams:{teams[1]}']").press("Space")
    form.locator("button").press("Enter")
    expect(page.locator("#done")).to_have_text("Moved.")
    expect(page.locator("tbody tr:not(.over)")).to_contain_text(teams[1])

    _opened(page, "Withdraw")
    page.locator("form[action$='/actions/withdraw'] button").first.press("Enter")
    expect(page.locator("#done")).to_have_text("The right is withdrawn.")
    expect(page.locator("tbody tr:not(.over)")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth") <= 375


def test_a_key_of_a_source_is_made_shown_once_and_revoked(
    look: Look, desk: Desk
) -> None:
    page = look("/sources", who="admin")
    page.locator("#create_key-source").select_option("prometheus")
    page.locator("#create_key-label").fill("host 7")
    page.locator("#create_key-label").press("Enter")
    shown = page.locator("#made-key")
    expect(shown).to_be_focused()
    key, address = shown.input_value(), page.locator(".made code").first.inner_text()
    sent = {"headers": {"Authorization": f"Bearer {key}"}, "timeout": SECONDS}
    answer = httpx.post(address, json={"alerts": []}, **sent)  # type: ignore[arg-type] # as above
    assert answer.is_success, answer.text

    page.goto(f"{desk.api_url}/sources")
    assert key not in page.content()
    row = page.locator(".key", has_text="host 7")
    row.locator("button").click()
    expect(page.locator("#done")).to_have_text("The token is revoked.")
    expect(row).to_have_count(0)


def test_a_removal_says_first_what_is_left_and_then_what_has_ended(
    look: Look, desk: Desk
) -> None:
    text = "id,name,role\nleaver,Lea Ver,agent\n"
    desk.post("/v1/people/import", {"text": text}, "admin").raise_for_status()
    body = {"title": "Left behind", "service": "web"}
    ref = desk.post("/v1/incidents", body, "admin").json()["incident"]
    assignee = {"assignee": "leaver"}
    desk.post(f"/v1/incidents/{ref}/assign", assignee, "admin").raise_for_status()

    page = look("/person/leaver/removal", who="admin", color_scheme="dark")
    expect(page.locator("main")).to_contain_text(ref)
    page.locator("main button[type=submit]").click()
    expect(page.locator("[role=status] h1")).to_contain_text("was removed")
    expect(page.locator("main")).to_contain_text(ref)

    page.goto(f"{desk.api_url}/people/review")
    expect(page.locator("h1")).to_have_text("Access review")
    expect(page.locator("tbody")).not_to_contain_text("leaver")
    with page.expect_download() as got:
        page.locator("a[download]").click()
    assert got.value.path().read_text().startswith("kind,id,person,")


def test_an_administrator_with_limits_sees_and_gives_what_is_within_them(
    desk: Desk, teams: list[str]
) -> None:
    with closing(desk.log()) as log, log.transaction() as cursor:
        limits = Limits(teams=frozenset(teams[:1]))
        actor, now = "person:local", datetime.now(UTC)
        token = create(cursor, now, actor, ["admin"], limits=limits).token
    limited = {"Authorization": f"Bearer {token}"}

    def call(method: str, path: str, who: Mapping[str, str], **body: Any) -> Any:
        url = f"{desk.api_url}/v1{path}"
        given: dict[str, Any] = {"json": body} if method == "POST" else {}
        sent = {"Idempotency-Key": uuid4().hex, **who}
        return answered(
            lambda: httpx.request(method, url, headers=sent, timeout=SECONDS, **given),
            BUSY,
        )

    text = "id,name\nguarded,Gua Rded\n"
    admin = desk.bearer("admin")
    call("POST", "/people/import", admin, text=text).raise_for_status()
    path = "/people/guarded/grant"
    whole = call("POST", path, admin, role="auditor").json()["grants"][0]
    own = call("POST", path, limited, role="agent", teams=teams[:1]).json()["grants"]
    move = {"grant": whole, "teams": teams[:1]}
    refused = [
        call("POST", path, limited, role="agent"),
        call("POST", path, desk.bearer("agent"), role="agent"),
        call("POST", path, desk.bearer("auditor"), role="agent"),
        call("POST", "/people/guarded/move", limited, **move),
        call("DELETE", f"/tokens/{'0' * 12}", limited),
        call("GET", "/break-glass", limited),
        call("GET", "/invitations", desk.bearer("auditor")),
    ]
    seen = call("GET", "/rights", limited).json()["items"]
    of_one = call("GET", "/people/guarded/rights", limited).json()["items"]

    assert [answer.status_code for answer in refused] == [403] * len(refused)
    assert {tuple(each["teams"]) for each in seen} == {(teams[0],)}
    assert [each["id"] for each in of_one] == own


def test_somebody_is_invited_and_the_invitation_is_revoked(
    look: Look, desk: Desk, teams: list[str]
) -> None:
    page = look("/people/invitations", who="admin", locale="fr-FR")
    for name, text in (("name", "Zoé"), ("email", "zoe@@x"), ("person", "zoe.n")):
        page.fill(f"#invite-{name}", text)
    page.locator("#invite-role").select_option("agent")
    page.locator(f"input[name='teams:{teams[0]}']").check()
    page.locator("#act-invite button[type=submit]").click()
    expect(page.locator("[role=alert]")).to_be_visible()
    expect(page.locator("#invite-name")).to_have_value("Zoé")

    page.fill("#invite-email", "zoe.n@desk.example")
    page.locator("#act-invite button[type=submit]").press("Enter")
    row = page.locator("tbody tr", has_text="zoe.n")
    expect(row).to_contain_text("ouverte jusqu’au")
    row.locator("button").click()
    expect(page.locator("#done")).to_have_text("L’invitation est révoquée.")
    expect(row).to_contain_text("révoquée le")

    listed = desk.get("/v1/invitations")
    assert listed.status_code == 403


def test_only_who_may_review_rights_finds_these_pages(look: Look) -> None:
    page = look("/people", who="agent")
    expect(page.locator("[role=alert]")).to_contain_text("managers, auditors")
    for path in ("/people/import", "/people/review", "/person/admin"):
        answer = page.goto(page.url.partition("/people")[0] + path)
        assert answer is not None
        assert answer.status == 403
    page.goto(page.url.partition("/person")[0] + "/find?q=People")
    expect(page.locator("#found a[href='/people']")).to_have_count(0)

    admin = look("/", who="admin")
    expect(admin.locator("a[href='/people']")).to_have_count(1)
    admin.keyboard.press("Control+k")
    admin.locator("#finder input").fill("People")
    expect(admin.locator("#finder a[href='/people']")).to_be_visible()
