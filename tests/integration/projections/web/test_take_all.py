"""A bundle of pages is taken by the link in it, on a desk whose services run."""

import re
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.desks.notifying import CallingDesk
from tests.support.desks.on_call.bundles import (
    bundle_link,
    bundled,
    key_pressed_for_all,
    take_all,
)
from tests.support.desks.on_call.paging import (
    answer,
    elsewhere,
    events_of,
    link,
    paged,
)
from tests.support.patience import SECONDS, answered, posted, until

pytestmark = pytest.mark.servers

WORDS = "Les totaux de la paie sont faux"


@pytest.fixture
def desk(paging_desk: CallingDesk) -> CallingDesk:
    return paging_desk


def shown(desk: CallingDesk, token: str) -> httpx.Response:
    url = f"{desk.desk.api_url}/take-all/{token}"
    return answered(lambda: httpx.get(url, timeout=SECONDS))


def accepted(desk: CallingDesk, ref: str) -> list[dict[str, Any]]:
    return events_of(desk, ref, "escalation.accepted")


def test_one_button_takes_every_incident_that_nobody_else_has(
    desk: CallingDesk,
) -> None:
    refs = [paged(desk) for _ in range(3)]
    assert answer(desk, link(desk, refs[2]), "another").status_code == 200
    desk.until_said(refs[2], "escalation.paged", 2)
    assert answer(desk, link(desk, refs[2], "chloe", step=1)).status_code == 200
    token = bundle_link(desk, bundled(desk, refs))

    before = [shown(desk, token) for _ in range(2)][-1]
    assert all(ref in before.text for ref in refs)
    assert WORDS not in before.text
    assert not accepted(desk, refs[0])

    hidden = dict(re.findall(r'name="(key|csrf)" value="([^"]+)"', before.text))
    place = f"{desk.desk.api_url}/take-all/{token}"
    unsigned = {"action": "take", "key": hidden["key"]}
    forged = posted(place, data=unsigned, headers=elsewhere())
    assert (forged.status_code, accepted(desk, refs[0])) == (403, [])
    pressed = posted(
        place,
        data={**hidden, "action": "take"},
        headers=elsewhere(),
        follow_redirects=True,
    )

    assert "que personne d’autre n’avait" in pressed.text
    for ref in refs[:2]:
        (mine,) = accepted(desk, ref)
        assert (mine["person"], mine["via"]) == ("bruno", "link")
        (taken,) = events_of(desk, ref, "incident.acknowledged")
        assert taken["by"] == "person:bruno"
    assert [each["person"] for each in accepted(desk, refs[2])] == ["chloe"]


def test_the_same_answer_to_a_bundle_counts_once(desk: CallingDesk) -> None:
    refs, key = [paged(desk), paged(desk)], uuid4().hex
    token = bundle_link(desk, bundled(desk, refs))

    answers = [take_all(desk, token, key=key).json() for _ in range(2)]

    assert answers == 2 * [{"taken": refs, "not_taken": []}]
    assert [len(accepted(desk, ref)) for ref in refs] == [1, 1]


def test_the_key_1_in_a_call_takes_the_whole_bundle(desk: CallingDesk) -> None:
    refs = [paged(desk), paged(desk)]
    bundle = bundled(desk, refs)

    stranger = key_pressed_for_all(desk, bundle, "chloe")
    for _ in range(2):  # who is busy says that the key was not heard
        until(
            lambda: (
                "Les incidents sont pris en compte"
                in key_pressed_for_all(desk, bundle).text
            ),
            "it is taken",
        )

    assert "pas été pris en compte" in stranger.text
    for ref in refs:
        (taken,) = accepted(desk, ref)
        assert (taken["person"], taken["via"]) == ("bruno", "call")


def test_who_gets_a_part_of_a_bundle_is_told_that_it_is_a_part(
    desk: CallingDesk,
) -> None:
    mine, hers = refs = [paged(desk), paged(desk)]
    assert answer(desk, link(desk, hers), "another").status_code == 200
    desk.until_said(hers, "escalation.paged", 2)
    assert answer(desk, link(desk, hers, "chloe", step=1)).status_code == 200
    bundle = bundled(desk, refs)

    place = f"{desk.desk.api_url}/take-all/{bundle_link(desk, bundle)}"
    press = {"context": {"action": "take", "key": uuid4().hex}}
    part = "Les incidents que personne d’autre n’avait"
    until(
        lambda: part in key_pressed_for_all(desk, bundle).text, "it is told in a call"
    )
    until(
        lambda: (
            part
            in posted(place, json=press, headers=elsewhere()).json()["ephemeral_text"]
        ),
        "it is told in a chat",
    )

    assert [each["person"] for each in accepted(desk, mine)] == ["bruno"]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ("changed", "unknown_link"),
        ("expired", "expired_link"),
        ("unknown", "unknown_link"),
        ("of somebody else", "unknown_link"),
        ("of another epoch", "unknown_link"),
        ("of a page", "unknown_link"),
    ],
)
def test_any_other_link_takes_no_bundle(
    desk: CallingDesk, wrong: str, code: str
) -> None:
    refs = [paged(desk), paged(desk)]
    bundle = bundled(desk, refs)
    good = bundle_link(desk, bundle)
    token = {
        "changed": good[:-9] + ("A" if good[-9] != "A" else "B") + good[-8:],
        "expired": bundle_link(desk, bundle, hours=0),
        "unknown": bundle_link(desk, f"{refs[1]}.{uuid4().hex}"),
        "of somebody else": bundle_link(desk, bundle, "chloe"),
        "of another epoch": bundle_link(desk, bundle, epoch="2-5f0e9c55"),
        "of a page": link(desk, refs[0]),
    }[wrong]

    refused = take_all(desk, token)

    assert (refused.status_code, refused.json()["code"]) == (404, code)
    assert [accepted(desk, ref) for ref in refs] == [[], []]
    page = shown(desk, token)
    assert (page.status_code, refs[0] in page.text) == (404, False)


def test_a_bundle_is_void_once_its_person_was_removed(desk: CallingDesk) -> None:
    refs = [paged(desk), paged(desk)]
    token = bundle_link(desk, bundled(desk, refs))
    desk.sql(
        "INSERT INTO access.removed_people (person, removal, removed_at, removed_by)"
        " VALUES ('bruno', 1, now(), 'person:sylvie')"
    )
    try:
        assert take_all(desk, token).status_code == 404
    finally:
        desk.sql("DELETE FROM access.removed_people WHERE person = 'bruno'")
    assert not accepted(desk, refs[0])
