"""Saved views over HTTP: whose they are, who sees and changes them, when they go."""

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import httpx
import psycopg
import pytest

from services.projections.api.incidents.saved_views import viewer_of
from services.projections.queue.store import NAMES
from services.projections.saved_views.rules import (
    COLUMNS,
    VIEWS_MAX,
    Audience,
    SavedView,
    Viewer,
    may_change,
    may_see,
)
from shared.domain.limits import Limits
from shared.security.access import Caller
from shared.security.rights import Grant
from shared.vault.vault import forget
from tests.support.builders.june_log import June
from tests.support.desks.api import Api, problem
from tests.support.policies import full_text

pytestmark = pytest.mark.servers

_URGENT = {"name": "Urgent", "filter": "priority:p1 OR breached:true"}
Save = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def desk(shared_api: Api) -> Api:
    """Give an API whose policy has paul in the team `accueil`."""
    written = June(shared_api.database)
    with closing(written.log):
        written.applied(full_text(("members: [odette, wim]", "members: [paul, wim]")))
    return shared_api


@pytest.fixture
def save(desk: Api) -> Save:
    """Return what saves a view, after all others were deleted."""
    with psycopg.connect(desk.database.owner_dsn) as owner:
        owner.execute("DELETE FROM desk.views")

    def save(who: str = "agent", **more: object) -> dict[str, Any]:
        answer = desk.call("POST", "/v1/views", who, json={**_URGENT, **more})
        assert answer.status_code == 201, answer.text
        saved: dict[str, Any] = answer.json()
        assert answer.headers["Location"] == f"/v1/views/{saved['id']}"
        return saved

    return save


def _names(desk: Api, who: str) -> list[str]:
    return [view["name"] for view in desk.get("/v1/views", who)["items"]]


def _put(
    desk: Api, view: dict[str, Any], who: str = "agent", version: int = 1, **more: Any
) -> httpx.Response:
    return desk.call(
        "PUT",
        f"/v1/views/{view['id']}",
        who,
        headers={"If-Match": f'"{version}"'},
        json={**_URGENT, **more},
    )


def test_a_view_is_kept_with_its_columns_and_its_order(desk: Api, save: Save) -> None:
    saved = save(columns=["ref", "title", "due_at"], sort="reported_at", queue="mine")

    found = desk.get(f"/v1/views/{saved['id']}")
    assert found == saved
    assert found["columns"] == ["ref", "title", "due_at"]
    assert (found["sort"], found["queue"]) == ("reported_at", "mine")
    assert (found["owner"], found["audience"]) == ("paul", "private")


def test_saving_twice_saves_once_and_another_of_that_name_is_refused(
    desk: Api, save: Save
) -> None:
    assert save()["id"] == save()["id"]

    other = {**_URGENT, "name": "urgent", "filter": "priority:p2"}
    no = problem(desk.call("POST", "/v1/views", json=other), 409)
    assert no["code"] == "name_taken"
    assert _names(desk, "agent") == ["Urgent"]


def test_a_private_view_is_its_owners_alone(desk: Api, save: Save) -> None:
    path = f"/v1/views/{save()['id']}"

    for who in ("other_agent", "manager", "auditor"):
        assert _names(desk, who) == []
        for method in ("GET", "DELETE"):
            problem(desk.call(method, path, who), 404)
        problem(desk.call("PUT", path, who, json=_URGENT), 404)
    problem(desk.call("GET", "/v1/views", "source"), 403)
    problem(desk.call("GET", "/v1/views", None), 401)


def test_a_shared_view_is_seen_by_its_audience_and_changed_by_owner_or_manager(
    desk: Api, save: Save
) -> None:
    of_team = save(name="Team", audience="team", team="accueil")
    of_all = save(name="All", audience="everybody")

    assert _names(desk, "other_agent") == ["All"]
    assert _names(desk, "manager") == ["All", "Team"]
    problem(desk.call("GET", f"/v1/views/{of_team['id']}", "other_agent"), 404)
    no = problem(_put(desk, of_all, "other_agent"), 403)
    assert "ask its owner or a manager" in str(no["detail"])
    assert _put(desk, of_all, "manager", name="All", audience="everybody").is_success
    assert desk.call("DELETE", f"/v1/views/{of_team['id']}", "manager").is_success


def test_a_view_is_changed_at_the_version_that_was_read(desk: Api, save: Save) -> None:
    saved = save()
    changed = _put(desk, saved, filter="priority:p2")

    assert changed.headers["ETag"] == '"2"'
    assert problem(_put(desk, saved), 412)["code"] == "version"
    headers = {"If-Match": '"1"'}
    path = f"/v1/views/{saved['id']}"
    problem(desk.call("DELETE", path, headers=headers), 412)
    assert desk.call("DELETE", path, headers={"If-Match": '"2"'}).status_code == 204
    problem(desk.call("GET", path), 404)


@pytest.mark.parametrize(
    ("wrong", "status", "sentence"),
    [
        ({"filter": "priority:p9"}, 422, "(at character 1)"),
        ({"columns": ["secret"]}, 422, "columns"),
        ({"columns": ["ref", "ref"]}, 422, "each column once"),
        ({"columns": []}, 422, "columns"),
        ({"name": " "}, 422, "name"),
        ({"audience": "team"}, 422, "give `team`"),
        ({"team": "accueil"}, 422, "give `team`"),
        ({"audience": "team", "team": "nobodys"}, 422, "no team nobodys"),
        ({"audience": "team", "team": "exploitation"}, 403, "only members"),
        ({"owner": "nadia"}, 422, "owner"),
    ],
)
def test_what_makes_no_view_is_refused_with_what_to_do(
    desk: Api, save: Save, wrong: dict[str, Any], status: int, sentence: str
) -> None:
    saved = save(name="Saved")
    for answer in (
        desk.call("POST", "/v1/views", json={**_URGENT, **wrong}),
        _put(desk, saved, **wrong),
    ):
        assert sentence in str(problem(answer, status)["detail"])


def test_a_person_has_a_bounded_number_of_views(desk: Api, save: Save) -> None:
    for number in range(VIEWS_MAX):
        save(name=f"View {number}")

    no = problem(desk.call("POST", "/v1/views", json=_URGENT), 409)
    assert no["code"] == "too_many_views"


def test_private_views_of_a_forgotten_person_go_and_shared_ones_lose_their_owner(
    desk: Api, save: Save
) -> None:
    save("other_agent", name="Mine")
    shared = save("other_agent", name="Shared", audience="everybody")
    kept = save()
    desk.log.vault.prepare("person:nadia")
    with psycopg.connect(desk.database.dsn("desk_admin")) as admin:
        forget(admin.cursor(), "person:nadia", "by letter", datetime.now(UTC))

    assert _names(desk, "other_agent") == ["Shared"]
    assert desk.get(f"/v1/views/{shared['id']}")["owner"] is None
    assert desk.get(f"/v1/views/{kept['id']}")["owner"] == "paul"
    private = _put(desk, shared, "manager", 2, audience="private")
    assert "save it under your own name" in str(problem(private, 409)["detail"])


@pytest.mark.parametrize("audience", ["private", "team", "everybody"])
@pytest.mark.parametrize("owner", ["paul", "nadia", None])
@pytest.mark.parametrize("manages", [True, False])
def test_nobody_changes_a_view_that_they_do_not_see(
    audience: Audience, owner: str | None, *, manages: bool
) -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    team = "accueil" if audience == "team" else None
    view = SavedView(
        "v" * 12, owner, "V", audience, team, "all", "", None, ("ref",), 1, now, now
    )
    viewer = Viewer("paul", frozenset(), sees_everything=True, manages=manages)

    assert may_see(view, viewer) >= may_change(view, viewer)


def test_who_audits_everything_manages_views_only_where_they_manage_all() -> None:
    city = Limits(clients=frozenset({"ville"}))
    grants = (Grant("paul.1", "manager", city), Grant("paul.2", "auditor"))
    viewer = viewer_of(Caller("person:paul", grants, "t"), {})

    assert viewer.sees_everything
    assert not viewer.manages


def test_every_column_is_a_field_of_a_row() -> None:
    assert set(COLUMNS) <= set(NAMES)
