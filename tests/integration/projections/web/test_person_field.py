"""Naming a person in a form: by id or by name, proposed or looked up once sent."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from services.intake.directory.store import import_people
from services.projections.api.session_cookie import COOKIE
from services.projections.web.csrf import token_for
from tests.support.builders.june_log import ONE, June, june
from tests.support.desks.api import Api
from tests.support.patience import answered

pytestmark = pytest.mark.servers

_PEOPLE = (("amina", "Amina Diallo"), ("paul", "Paul Petit"), ("pauline", "Paul Petit"))


@pytest.fixture(scope="module")
def desk(shared_api: Api) -> Iterator[Api]:
    month = June(shared_api.database)
    with closing(month.log):
        month.applied()
        with month.log.transaction() as cursor:
            rows = [{"id": id_, "name": name} for id_, name in _PEOPLE]
            import_people(cursor, rows, june(1))
        month.opens(june(2), ONE, title="Porte fermée")
        for part in ("", "/timeline"):
            place = f"/v1/incidents/{ONE}{part}"
            shared_api.get(place, min_position=month.position)
        yield shared_api


def _cookie(api: Api) -> dict[str, str]:
    return {"Cookie": f"{COOKIE}={api.tokens['agent']}"}


def _assigned(api: Api, assignee: str) -> str:
    form = {"csrf": token_for(api.tokens["agent"]), "assignee": assignee}
    path = f"/incidents/{ONE}/actions/assign"
    sent = answered(lambda: api.call("POST", path, None, _cookie(api), data=form))
    assert sent.status_code == 422, sent.text
    return " ".join(sent.text.split())


def test_people_are_proposed_by_part_of_their_name(desk: Api) -> None:
    page = answered(
        lambda: desk.call("GET", "/find/people?q=ami", None, headers=_cookie(desk))
    )

    assert '<option value="amina">Amina Diallo</option>' in page.text
    assert "Petit" not in page.text


def test_a_name_that_nobody_has_is_refused_with_the_form_as_it_was(desk: Api) -> None:
    page = _assigned(desk, "Nobody At All")

    assert "Nobody here has this name or id" in page
    assert 'name="assignee" aria-invalid="true" value="Nobody At All"' in page


def test_a_name_that_several_have_lists_them(desk: Api) -> None:
    assert "Paul Petit (paul), Paul Petit (pauline)" in _assigned(desk, "Paul Petit")
