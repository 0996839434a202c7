"""A search on the page of a queue: where the words are, and what else has them."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from services.intake.directory.store import import_people
from services.projections.api.session_cookie import COOKIE
from tests.support.builders.june_log import ONE, TWO, June, june
from tests.support.desks.api import Api
from tests.support.patience import answered

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def desk(shared_api: Api) -> Iterator[Api]:
    month = June(shared_api.database)
    with closing(month.log):
        month.applied()
        with month.log.transaction() as cursor:
            import_people(cursor, [{"id": "ba", "name": "Ada Badgett"}], june(1))
        month.opens(june(2), ONE, title="Porte fermée")
        said = "<script>alert(1)</script> deux badges refusés"
        month.says(june(3), "incident.informed", ONE, message=said)
        noted = {"service": "acces", "note": "Rééditer le badge"}
        month.opens(june(4), TWO, title="Portique")
        month.says(june(5), "incident.solution_noted", TWO, **noted)
        shared_api.get("/v1/search", q="x", min_position=month.position)
        yield shared_api


def _page(api: Api, address: str) -> str:
    cookie = {"Cookie": f"{COOKIE}={api.tokens['agent']}"}
    found = answered(lambda: api.call("GET", address, who=None, headers=cookie))
    assert found.status_code == 200, found.text
    return " ".join(found.text.split())


def test_a_row_shows_where_the_words_were_said(desk: Api) -> None:
    page = _page(desk, "/?q=badge&lang=fr")

    shown = "&lt;script&gt;alert(1)&lt;/script&gt; deux <mark>badges</mark> refusés"
    assert f'<p class="excerpt"><q>{shown}</q> <small>Message · <time' in page
    assert "<script>alert" not in page


def test_notes_and_people_that_have_the_words_are_shown_as_well(desk: Api) -> None:
    page = _page(desk, "/?q=badge&lang=fr")

    _, _, others = page.partition("Également trouvé")
    assert f'<a href="/incidents/{TWO}"><bdi>Portique</bdi></a>' in others
    assert "Rééditer le <mark>badge</mark>" in others
    assert '<a href="/?reporter=ba"><bdi>Ada Badgett</bdi></a>' in others


@pytest.mark.parametrize("address", ["/", "/?q=%20", "/?q=fermée"])
def test_without_such_words_there_is_nothing_of_it(desk: Api, address: str) -> None:
    page = _page(desk, address)

    assert 'class="excerpt"' not in page
    assert "Also found" not in page
