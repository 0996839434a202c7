"""Each event about an incident has its sentence, in every language."""

import re
from typing import get_args

import pytest

from docs.generate.catalogs import catalog_of, messages
from services.projections.timeline.sentences import Style, duration, people_in, sentence
from services.projections.timeline.store import ABOUT, WENT
from shared.domain.events import EVENT_TYPES
from shared.eventlog.codec import personal_fields
from shared.i18n.catalog import ENGLISH, LANGUAGES, Language, text_of

_KINDS = sorted(kind for kind in EVENT_TYPES if not kind.startswith("policy."))
_AT = "2025-06-30T07:30:00Z"

every_kind = pytest.mark.parametrize("kind", _KINDS)
every_language = pytest.mark.parametrize("language", LANGUAGES)


def _fields(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


def _flags(text: str) -> set[str]:
    return set(re.findall(r"^(\w+)\? ", text, re.MULTILINE))


def _texts(kind: str, language: Language) -> list[str]:
    """The sentence of an event, and those by the rule that decided it."""
    names = [kind, *(f"{kind}/{rule}" for rule in _RULES)]
    texts = {name: text_of(language, "sentence", name) for name in names}
    return [text for name, text in texts.items() if text != name]


_RULES = ("timeout", "signature", "service", "downtime")


@every_kind
@every_language
def test_every_event_has_a_sentence_in_every_language(
    kind: str, language: Language
) -> None:
    assert _texts(kind, language)
    assert len(_texts(kind, language)) == len(_texts(kind, ENGLISH))


@every_kind
@every_language
def test_a_sentence_names_only_fields_its_event_or_the_message_it_is_about_has(
    kind: str, language: Language
) -> None:
    fields = set(EVENT_TYPES[kind].model_fields) | {"who", "whom"}
    if kind in WENT:
        fields |= set(ABOUT)
    for text in _texts(kind, language):
        assert _fields(text) | _flags(text) <= fields


@every_language
@every_kind
def test_a_sentence_is_whole_without_what_may_be_left_out(
    kind: str, language: Language
) -> None:
    model = EVENT_TYPES[kind]
    needed = {
        name: name.upper()
        for name, field in model.model_fields.items()
        if field.is_required() and name not in {"at", "by", "incident", "policy"}
    }

    said = sentence(kind, "person:paul", needed, language)

    assert said.endswith((".", "”", ".\xa0»"))
    assert "{" not in said
    assert not re.search(r"\s\s|[.]{2}", said)
    assert not said.startswith((" ", ",", ":", ";", "\xa0"))


@every_kind
def test_each_name_the_desk_gives_is_listed_for_translators(kind: str) -> None:
    shown = {"whom" if f == "who" else f for f in EVENT_TYPES[kind].model_fields}
    for field in shown & _fields("".join(_texts(kind, ENGLISH))):
        listed = _LISTED.get(f"timeline.{field}", set())
        own = "who" if field == "whom" else field
        names = get_args(EVENT_TYPES[kind].model_fields[own].annotation)
        if listed and own not in personal_fields(EVENT_TYPES[kind]):
            written = {name for name in names if isinstance(name, str)}
            assert written - _SAME <= listed


_LISTED: dict[str, set[str]] = {}
for _each in messages(catalog_of(ENGLISH)):
    _LISTED.setdefault(str(_each.context), set()).add(str(_each.id))
_SAME = {"agent", "web", "silence"}


@every_language
def test_why_somebody_was_paged_is_told(language: Language) -> None:
    what = {
        "policy": 3,
        "level": "n2",
        "step": 1,
        "loop": 2,
        "schedule": "astreinte",
        "who": "next",
        "people": ["chloe", "amina"],
        "due_at": _AT,
        "nobody_on_call": True,
    }

    said = sentence("escalation.paged", "system:escalation", what, language)

    named = ("chloe, amina", "N2", "2", "astreinte", "2025-06-30 07:30 UTC", "3")
    assert all(word in said for word in named)
    assert text_of(language, "timeline.whom", "next") in said


def test_a_broken_promise_is_told_with_what_was_promised() -> None:
    what = {
        "target": "ttr",
        "contract": "valmont",
        "seconds": 21_600,
        "breached_at": _AT,
        "due_at": _AT,
    }

    assert sentence("sla.breached", "system:sla_watcher", what) == (
        "The time to resolve was breached at 2025-06-30 07:30 UTC: contract valmont"
        " allows 6\xa0h."
    )
    assert sentence("sla.breached", "system:sla_watcher", what, "fr") == (
        "Le délai pour le rétablissement a été dépassé le 2025-06-30 07:30 UTC\xa0: le"
        " contrat valmont promettait 6\xa0h."
    )


def test_what_is_said_in_french_is_set_as_french_is() -> None:
    what = {"reason": "user", "question": "Quel ?"}

    assert sentence("incident.paused", "person:paul", what, "fr") == (
        "paul l’a mis en attente (utilisateur) et a demandé\xa0: «\xa0Quel ?\xa0»"
    )


def test_words_of_a_person_are_not_translated() -> None:
    what = {"note": "test", "reason": "duplicate"}

    assert sentence("incident.cancelled", "person:paul", what, "fr") == (
        "paul l’a annulé (doublon)\xa0: test."
    )
    assert sentence("handover.declined", "person:helene", {"reason": "user"}, "fr") == (
        "helene a refusé le transfert\xa0: user."
    )


def test_no_second_left_is_told_and_no_repeat_is_not() -> None:
    what = {"target": "ttr", "reason": "user", "left_seconds": 0}

    told = sentence("sla.paused", "system:sla_watcher", what)

    assert (
        told
        == "The time to resolve is paused, waiting for the user, with 0\xa0min left."
    )


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 min"), (25, "25 s"), (23_400, "6 h 30 min"), (-61, "−1 min 1 s")],
)
def test_seconds_are_told_as_hours_and_minutes(seconds: int, said: str) -> None:
    assert duration(seconds).replace("\xa0", " ") == said


def test_what_people_write_is_never_taken_for_a_place_to_fill() -> None:
    said = sentence("incident.informed", "person:paul", {"message": "{who} {0} {x!r}"})

    assert said == "paul told the user: “{who} {0} {x!r}”."


def test_what_was_given_up_is_not_said_to_have_recovered_by_itself() -> None:
    what = {"source": "errors", "rule": "timeout", "rule_of": "24h", "held_until": _AT}

    assert sentence("incident.recovered", "system:intake", what) == (
        "errors signalled nothing more for 24h and never sent a recovery: it counts"
        " as recovered, as of 2025-06-30 07:30 UTC."
    )
    assert sentence("incident.recovered", "system:intake", what, "fr") == (
        "errors n’a plus rien signalé pendant 24h ni annoncé de rétablissement\xa0: la"
        " panne est tenue pour finie, à compter du 2025-06-30 07:30 UTC."
    )


def test_an_event_of_tomorrow_is_named_as_it_is() -> None:
    assert sentence("incident.sung", "person:paul", {}) == "paul: incident.sung."


def test_a_severity_and_repeats_are_told_where_there_are_any() -> None:
    what = {"source": "prom", "severity": "error", "repeats": 4}

    assert sentence("incident.signalled", "source:prom", what) == (
        "prom signalled it with severity error (repeats: 4)."
    )
    assert sentence("incident.signalled", "source:prom", {"source": "prom"}) == (
        "prom signalled it."
    )


@pytest.mark.parametrize(
    ("note", "told"),
    [
        ("Restarted", "zoe resolved it: Restarted."),
        ("Restarted.", "zoe resolved it: Restarted."),
        ("Really?!", "zoe resolved it: Really?!"),
    ],
)
def test_a_sentence_ends_once(note: str, told: str) -> None:
    assert sentence("incident.resolved", "person:zoe", {"note": note}) == told


def test_a_quoted_question_needs_no_full_stop() -> None:
    what = {"reason": "user", "question": "Which browser?"}

    assert sentence("incident.paused", "person:paul", what) == (
        "paul paused it, waiting for the user, and asked: “Which browser?”"
    )


def test_reasons_are_told_one_after_the_other() -> None:
    what = {
        "title": "No mail",
        "service": "mail",
        "priority": "p1",
        "team": "desk",
        "reporter": "zoe",
        "override": True,
        "override_reason": "The board meets.",
        "backdated_because": "The desk was away.",
    }

    assert sentence("incident.opened", "person:paul", what) == (
        "paul opened the incident “No mail” on service mail with priority P1 for team "
        "desk as reported by zoe; its priority was set by hand, because: The board "
        "meets; recorded late, because: The desk was away."
    )


def test_a_second_life_says_why_and_which() -> None:
    what = {"cause": "user", "cycle": 2, "after_closure": True, "reason": "It is back"}

    assert sentence("incident.reopened", "person:paul", what) == (
        "paul reopened it after it was closed (user, cycle 2): It is back."
    )


def test_an_instant_is_told_in_the_zone_of_the_page_and_as_the_page_does() -> None:
    what = {"until": "2025-07-03T08:30:00Z", "reason": "x"}
    told = ("incident.snoozed", "person:paul", what)
    paris = Style("Europe/Paris")

    assert "until 3 Jul 2025, 10:30" in sentence(*told, "en", paris)
    assert "3 juil. 2025, 10:30" in sentence(*told, "fr", paris)


def test_an_hour_that_comes_twice_says_which_of_the_two_it_is() -> None:
    what = {"until": "2025-10-26T00:30:00Z", "reason": "x"}
    paris = Style("Europe/Paris")
    told = sentence("incident.snoozed", "person:paul", what, "en", paris)

    assert "26 Oct 2025, 02:30 (UTC+2)" in told


def test_people_are_called_by_name_with_the_id_beside() -> None:
    what = {"team": "desk", "assignee": "zoe", "unskilled": ["zoe", "bo"]}
    style = Style(names={"zoe": "Zoé Bérard", "prom": "Nobody"})

    told = sentence("incident.assigned", "person:zoe", what, "en", style)
    assert told.startswith("Zoé Bérard (zoe) gave it to team desk, to Zoé Bérard (zoe)")
    assert told.endswith("Zoé Bérard (zoe), bo.")
    machine = sentence("incident.resolved", "source:prom", {}, "en", style)
    assert machine.startswith("prom ")


def test_everybody_whom_a_sentence_names_is_looked_up() -> None:
    what = {"people": ["a", "b"], "person": "c", "team": "d"}

    found = people_in([("person:e", what), ("source:f", {"reporter": "g"})])
    assert sorted(found) == ["a", "b", "c", "e", "g"]


@every_language
def test_what_joins_a_problem_at_once_has_no_answer_due(language: Language) -> None:
    what = {
        "team": "problems",
        "service": "vpn",
        "breached_at": _AT,
        "problem": "PRB-000001",
        "answer_by": "2025-07-01T07:30:00Z",
    }

    def told(matched: str) -> str:
        by, handed = "system:escalation", what | {"matched": matched}
        return sentence("handover.requested", by, handed, language)

    assert "2025-07-01" not in told("signature")
    assert "2025-07-01" in told("service")
    assert "PRB-000001" in told("signature")


@every_language
def test_that_a_problem_is_presumed_is_told_once(language: Language) -> None:
    what = {"problem": "PRB-000001", "matched": "service", "to_be_confirmed": True}
    kinds = ("handover.joined", "incident.problem_presumed")

    told = {sentence(kind, "system:escalation", what, language) for kind in kinds}

    assert len(told) == 2
    assert all("PRB-000001" in each for each in told)
