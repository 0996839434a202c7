"""The page of an incident: every action has its words, and leads to a command."""

import pytest

from services.projections.timeline.categories import Category, category_of, kinds_of
from services.projections.web.actions import Action, body_of
from services.projections.web.incident.actions import (
    ACTIONS,
    Choices,
    adapted,
    offered,
)
from services.projections.web.incident.views import meanwhile
from shared.domain.commands.escalation import Accept, Escalate
from shared.domain.commands.incident import BODIES
from shared.domain.commands.sla import ProposeExtension
from shared.domain.incident.possible import EFFECTS, EXTENSIONS
from shared.i18n.catalog import ENGLISH, LANGUAGES, Language, text_of

COMMANDS = {
    **BODIES,
    Escalate.verb: Escalate,
    Accept.verb: Accept,
    EXTENSIONS: ProposeExtension,
}


def _line(kind: str, version: int, **what: str) -> dict[str, object]:
    return {"kind": kind, "version": version, "what": what, "sentence": kind}


@pytest.mark.parametrize(
    ("label", "told"),
    [
        ("restore.note", True),
        ("resolve.note", True),
        ("cancel.note", True),
        ("close.note", False),
    ],
)
def test_a_form_says_which_notes_the_users_read(label: str, told: bool) -> None:
    said = text_of(ENGLISH, "page.field_of", label)

    assert said.endswith("; the users read it") is told
    assert said.startswith("Internal") is not told


@pytest.mark.parametrize("action", ACTIONS, ids=lambda each: each.verb)
def test_the_fields_of_a_form_are_those_of_its_command(action: Action) -> None:
    fields = {
        field.alias or name: field
        for name, field in COMMANDS[action.path].model_fields.items()
    }
    given = {field.name: field for field in action.fields}
    fixed = dict(action.fixed)

    assert {*given, *fixed} <= fields.keys()
    required = {name for name, field in fields.items() if field.is_required()}
    assert required <= {*fixed, *(n for n, f in given.items() if f.required)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_action_and_field_and_choice_has_its_words(language: Language) -> None:
    for action in ACTIONS:
        assert text_of(language, "page.action", action.verb) != action.verb
        assert text_of(language, "page.done", action.verb) != action.verb
        for field in action.fields:
            own = f"{action.verb}.{field.name}"
            has_own = text_of(language, "page.field_of", own) != own
            assert has_own or text_of(language, "page.field", field.name) != field.name
            of_choices = "page.channel" if field.name == "channel" else "page.choice"
            for choice in field.choices if language != ENGLISH else ():
                assert text_of(language, of_choices, choice) != choice


def test_a_verb_of_people_is_on_the_page_or_elsewhere_on_purpose() -> None:
    elsewhere = {"open", "detach"}

    assert {*EFFECTS} - {each.path for each in ACTIONS} == elsewhere


def test_only_what_the_api_says_is_possible_is_offered() -> None:
    found = [each.verb for each in offered(ACTIONS, {"pause", "note", "extensions"})]

    assert found == ["ask", "note", "pause", "extensions"]


def test_keys_lead_to_one_action_each() -> None:
    keys = [each.key for each in ACTIONS if each.key]

    assert len({*keys}) == len(keys)
    assert not {"j", "k", "?", "/"} & {*keys}


def test_an_instant_is_entered_in_the_zone_of_the_page() -> None:
    (remind,) = (each for each in ACTIONS if each.verb == "remind")
    form = {"at": "2030-07-01T14:30", "at:zone": "Europe/Paris"}

    assert body_of(remind, form) == {"at": "2030-07-01T14:30:00+02:00"}
    for wrong in ({"at": "soon"}, {**form, "at:zone": "../etc/passwd"}):
        assert body_of(remind, wrong) == {"at": wrong["at"]}  # which the API refuses


def test_alerts_are_chosen_by_their_keys_and_asking_says_whom_it_waits_for() -> None:
    ask, split = (each for each in ACTIONS if each.verb in {"ask", "split"})
    incident = {"reporters": ["roche"], "signals": {"a" * 64: "firing"}}
    shown = adapted(split, incident, Choices(["desk"], {}), "UTC")
    assert shown is not None
    form = {"title": "x", f"signal_keys:{'a' * 64}": "yes"}

    assert body_of(shown, form) == {"title": "x", "signal_keys": ["a" * 64]}
    assert body_of(ask, {"question": "Since when?"}) == {
        "reason": "user",
        "question": "Since when?",
    }


def test_a_hand_over_goes_to_a_destination_of_the_policy_by_its_name() -> None:
    (redirect,) = (each for each in ACTIONS if each.verb == "redirect")
    incident = {"reporters": ["roche"], "signals": {}}
    shown = adapted(redirect, incident, Choices([], {"rh": "Personnel"}), "UTC")

    assert shown is not None
    assert (shown.fields[0].choices, shown.fields[0].texts) == (
        ("rh",),
        {"rh": "Personnel"},
    )
    assert adapted(redirect, incident, Choices([], {}), "UTC") is None


@pytest.mark.parametrize(
    ("kind", "asks", "category"),
    [
        ("incident.paused", True, "messages"),
        ("incident.paused", False, "decisions"),
        ("incident.noted", False, "notes"),
        ("incident.assigned", False, "decisions"),
        ("incident.signalled", False, None),
        ("escalation.escalated", False, "escalations"),
        ("notification.sent", False, "messages"),
        ("sla.started", False, None),
    ],
)
def test_a_timeline_is_limited_to_what_its_events_are_about(
    kind: str, category: Category | None, *, asks: bool
) -> None:
    assert category_of(kind, asks=asks) == category
    assert category is None or kind in kinds_of(category)


def test_what_happened_meanwhile_is_what_changed_the_incident_since() -> None:
    lines = [
        _line("incident.assigned", 4),
        _line("escalation.escalated", 9),
        _line("incident.acknowledged", 3),
        _line("incident.opened", 1),
    ]

    assert [line["version"] for line in meanwhile(lines, "2")] == [4, 3]
    assert meanwhile(lines, "") == meanwhile(lines, "x") == []
