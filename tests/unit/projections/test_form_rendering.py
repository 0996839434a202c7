"""What the forms of the screens show, rendered as on a page."""

from collections.abc import Mapping
from typing import Any

import pytest

from services.projections.web import rendering
from services.projections.web.actions import (
    Action,
    Draft,
    Field,
    action_of,
    body_of,
    reference_of,
)
from services.projections.web.api_client import owner_of
from services.projections.web.incident.actions import ACTIONS
from services.projections.web.incident.views import (
    current_values,
    proposed_references,
)
from services.projections.web.queue.bulk_endpoints import _reached
from services.projections.web.rendering import (
    broken_promise,
    linked,
    page,
    with_local_instants,
)
from shared.i18n.catalog import Language

_DUE = {"breached": True, "due_at": "2025-06-30T12:00:00Z", "due_target": "ttr"}
_INCIDENT = {
    "title": "Doors",
    "description": None,
    "service": "access",
    "category": "badge",
    "client": "ville",
    "impact": "high",
}


def action(verb: str) -> Action:
    """Return the action of the incident screen with this verb."""
    found = action_of(ACTIONS, verb)
    assert found is not None
    return found


def form(
    of: Action,
    values: Mapping[str, str] | None = None,
    draft: Draft | None = None,
    **shown: Any,
) -> str:
    """Return the form of an action as a page shows it."""
    templates = rendering.TEMPLATES._in("en")
    macros = templates.get_template("forms.html").module
    draft = draft or Draft("csrf", "key", "1", values or {})
    return " ".join(str(macros.action_form("/x", of, draft, **shown)).split())  # type: ignore[attr-defined] # jinja adds the macros


def test_the_rare_fields_of_a_resolution_are_folded_away() -> None:
    shown, _, folded = form(action("resolve")).partition('<details class="more">')

    assert 'name="note"' in shown
    assert 'name="solution_note"' in shown
    for name in ("solution", "cause_removed", "force", "reason"):
        assert f'name="{name}"' in folded


def test_a_rare_field_that_was_filled_in_is_not_folded_away() -> None:
    assert '<details class="more" open>' in form(action("resolve"), {"force": "yes"})


def test_a_rare_field_is_shown_if_it_is_needed() -> None:
    assert '<details class="more" open>' in form(action("resolve"), shows_rare=True)


@pytest.mark.parametrize(
    ("wrong", "conflict", "place"),
    [
        (("force", "reason"), False, 'id="resolve-force-problem" role="alert"'),
        (("elsewhere",), False, 'class="no" role="alert"'),
        ((), False, 'class="no" role="alert"'),
        (("force",), True, 'class="no" role="alert"'),
    ],
    ids=["its first field", "a field of another form", "no field", "a conflict"],
)
def test_why_a_form_is_refused_stands_once_beside_what_is_to_be_corrected(
    wrong: tuple[str, ...], place: str, *, conflict: bool
) -> None:
    draft = Draft("csrf", "key", "1", {}, "It still fires.", wrong, conflict)

    shown = form(action("resolve"), draft=draft)

    assert shown.count("It still fires.") == 1
    assert place in shown


def test_the_next_incident_can_follow_from_any_page() -> None:
    assert "Resolve, and go to the next" in form(action("resolve"), back="")


def test_who_acknowledges_what_another_has_does_not_take_it_on() -> None:
    acknowledge = action("acknowledge")

    assert ">Take it on</button>" in form(acknowledge)
    assert ">Acknowledge, it stays assigned</button>" in form(
        acknowledge, label="acknowledge_for_other"
    )


def test_a_team_is_shown_by_its_own_name_even_if_a_reason_is_called_like_it() -> None:
    assign = Action("assign", (Field("team", "choice", choices=("problem",)),))

    assert '<option value="problem">problem</option>' in form(assign)


def test_references_are_proposed_where_one_is_asked_for() -> None:
    like = {
        "incident": {"ref": "INC-000007", "title": "The same"},
        "at_work": True,
    }
    note = {"incident": "INC-000003", "note": "x" * 200}
    proposed = proposed_references([like], [note])

    merge = form(action("merge"), proposed=proposed)

    assert '<option value="INC-000007">The same</option>' in merge
    assert proposed["solution"] == [("INC-000003", "x" * 80)]


@pytest.mark.parametrize(
    ("verb", "begins"),
    [
        ("edit", {"title": "Doors"}),
        ("classify", {"service": "access", "category": "badge", "client": "ville"}),
        ("note", {}),
    ],
)
def test_a_form_that_changes_something_begins_with_what_there_is(
    verb: str, begins: Mapping[str, str]
) -> None:
    assert current_values(action(verb), _INCIDENT) == begins


@pytest.mark.parametrize(
    ("at", "more", "broken"),
    [
        ("2025-06-30T13:00:00Z", {}, "ttr"),
        ("2025-06-30T11:00:00Z", {}, "tto"),
        ("2025-06-30T11:00:00Z", {"due_target": "tto"}, "ttr"),
        ("2025-06-30T13:00:00Z", {"due_at": None, "due_target": None}, None),
        ("2025-06-30T13:00:00Z", {"breached": False}, None),
    ],
)
def test_a_row_says_which_promise_was_broken(
    at: str, more: Mapping[str, object], broken: str | None
) -> None:
    assert broken_promise({**_DUE, **more}, at) == broken


def test_references_in_a_sentence_are_links_and_all_else_is_text() -> None:
    assert linked("<b> merged into INC-000010, INC-1 & 2") == (
        '&lt;b&gt; merged into <a href="/incidents/INC-000010">INC-000010</a>, '
        "INC-1 &amp; 2"
    )


@pytest.mark.parametrize(
    ("written", "usual", "reference"),
    [
        ("10", "INC", "INC-000010"),
        ("10", None, None),
        (" inc-10 ", None, "INC-000010"),
        ("PRB12", "INC", "PRB-000012"),
        ("INC-1234567", None, "INC-1234567"),
        ("INC-", "INC", None),
        ("ten", "INC", None),
    ],
)
def test_a_reference_may_be_written_short(
    written: str, usual: str | None, reference: str | None
) -> None:
    assert reference_of(written, usual) == reference


def test_a_short_reference_is_sent_complete_but_not_that_of_others() -> None:
    sent = {"into": "10", "relation": "change", "target": "4711"}

    assert body_of(action("merge"), sent) == {"into": "INC-000010"}
    assert body_of(action("link"), sent)["target"] == "4711"


def test_the_preview_of_a_bulk_command_says_what_it_will_say() -> None:
    assign = Action("assign", (Field("assignee", "person"),))
    item = {"ref": "INC-000001", "title": None, "outcome": "would_record", "detail": ""}
    found = {"preview": True, "changes": [], "counts": {}, "items": [item]}
    draft = Draft("csrf", "key", "", {"assignee": "amina"})
    shown = page(
        "bulk.html", "en", action=assign, draft=draft, found=found, refs=(), names={}
    )

    html = " ".join(bytes(shown.body).decode().split())
    assert '<dt>Assign to</dt><dd dir="auto">amina</dd>' in html
    assert html.count("INC-000001") == 2  # the link and its text, and no second line


@pytest.mark.parametrize(
    ("back", "found", "queue"),
    [
        ("queue=desk", 7, "/?queue=desk&amp;min_position=7"),
        ("", 7, "/?min_position=7"),
        ("queue=desk", 0, "/?queue=desk"),
    ],
)
def test_what_is_opened_after_a_bulk_command_shows_what_it_did(
    back: str, found: int, queue: str
) -> None:
    item = {"ref": "INC-000001", "title": None, "outcome": "recorded", "detail": ""}
    answer = {"preview": False, "complete": True, "changes": [], "counts": {}}
    answer |= {"items": [item], "position": found}
    shown = page(
        "bulk.html",
        "en",
        action=Action("acknowledge"),
        draft=Draft("csrf", "key", "", {}),
        found=answer,
        back=back,
        reached=_reached(answer),
        refs=(),
        names={},
    )

    html = bytes(shown.body).decode()
    assert f'<p class="back"><a href="{queue}">' in html
    reached = "?min_position=7" if found else ""
    assert f'<a href="/incidents/INC-000001{reached}"><bdi>' in html


def test_a_box_that_finds_nothing_says_so() -> None:
    shown = page("find.html", "en", q="xyz", hits=(), pages={}, names={})

    assert "Nothing else found." in bytes(shown.body).decode()


def test_the_page_names_who_is_signed_in() -> None:
    whose = owner_of({"actor": "person:paul", "name": None, "scopes": ["agent"]})
    shown = page(
        "find.html",
        "en",
        q="",
        hits=(),
        pages={},
        names={},
        me=whose["me"],
        my_name=whose["my_name"],
    )

    assert (
        '<span class="me" data-me="paul"><bdi>paul</bdi></span>'
        in bytes(shown.body).decode()
    )


@pytest.mark.parametrize(
    ("language", "anonymous", "kept", "words"),
    [
        ("en", False, [], ["This survey is not anonymous."]),
        ("fr", False, [], ["Cette enquête n’est pas anonyme."]),
        ("en", True, [], ["This survey is anonymous."]),
        (
            "fr",
            True,
            ["channel", "team"],
            ["Cette enquête est anonyme.", "Canal, Équipe."],
        ),
    ],
)
def test_the_page_of_a_survey_says_what_is_kept_of_the_answer(
    language: Language, anonymous: bool, kept: list[str], words: list[str]
) -> None:
    seen: dict[str, object] = {
        "state": "open",
        "incident": "INC-000007",
        "service": "Mail",
        "questions": [],
        "published": [],
        "anonymous": anonymous,
        "kept": kept,
    }
    shown = page("survey.html", language, seen=seen, why="", choices={}, comment="")

    text = bytes(shown.body).decode()
    assert all(each in text for each in words)
    assert ("Canal" in text) is bool(kept)


def test_instants_in_a_sentence_of_the_api_are_in_the_zone_of_the_page() -> None:
    sentence = "test them at 2026-11-28T07:00Z or later"

    assert (
        with_local_instants(sentence, "en", "Europe/Paris")
        == "test them at 28 Nov 2026, 08:00 or later"
    )
