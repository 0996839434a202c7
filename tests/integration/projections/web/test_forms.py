"""What a form of a page may contain that no page ever showed."""

import pytest

from services.projections.api.session_cookie import COOKIE
from services.projections.web.csrf import token_for
from tests.support.desks.api import Api

pytestmark = pytest.mark.servers

ATTACH = "/incidents/INC-000001/files"


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/queue/actions/acknowledge", {"version": "é"}),
        ("/incidents/INC-000001/actions/acknowledge", {"version": "😡"}),
        ("/queue/views", {"version": "é", "step": "change", "view": "x" * 12}),
    ],
)
def test_what_no_header_can_carry_is_refused(
    shared_api: Api, path: str, form: dict[str, str]
) -> None:
    token = shared_api.tokens["agent"]
    sent = {"csrf": token_for(token), "ref": "INC-000001", "name": "A view", **form}

    answer = shared_api.call(
        "POST", path, None, {"Cookie": f"{COOKIE}={token}"}, data=sent
    )

    assert answer.status_code in {404, 422}, answer.text
    assert answer.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("name", ["", "empty.txt"])
def test_nothing_is_not_said_to_be_attached(shared_api: Api, name: str) -> None:
    token = shared_api.tokens["agent"]

    answer = shared_api.call(
        "POST",
        ATTACH,
        None,
        {"Cookie": f"{COOKIE}={token}"},
        data={"csrf": token_for(token)},
        files={"file": (name, b"")},
    )

    assert answer.is_error, answer.text


def test_what_is_typed_for_many_stays_when_its_page_is_from_before_signing_in(
    shared_api: Api,
) -> None:
    token = shared_api.tokens["agent"]
    form = {"csrf": "old", "verb": "cancel", "refs": "INC-000001", "step": "preview"}

    answer = shared_api.call(
        "POST",
        "/queue/bulk",
        None,
        {"Cookie": f"{COOKIE}={token}"},
        data=form | {"note": "Kept <b>words</b>"},
    )

    assert answer.status_code == 403
    assert "Kept &lt;b&gt;words&lt;/b&gt;</textarea>" in answer.text
    assert token_for(token) in answer.text  # it can be sent again
