"""What is said, to whom, in which language; and what people wrote, as they wrote it."""

from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.events.event import FORGOTTEN
from shared.domain.events.sla import SlaTarget
from shared.domain.policy.escalation import Notice as ManagersAreTold
from shared.i18n.access_notices import AccessNotice
from shared.i18n.catalog import LANGUAGES, Language, text_of
from shared.i18n.formats import Reader, language_of
from shared.i18n.messages import Notice, say
from shared.i18n.on_call_notices import OnCallNotice
from shared.i18n.owner_notices import OwnerNotice
from shared.i18n.staff_notices import Trigger
from shared.i18n.user_notices import (
    ClientSurveyQuestion,
    MonthReportNotice,
    Promise,
    Receipt,
    Target,
    Update,
)
from tests.support.builders.notices import FULL, LEAST, REF

KINDS = tuple(FULL)
NADIA = Reader("fr", "Europe/Paris", "Nadia")
FREE_TEXT = (
    *(
        "title",
        "words",
        "question",
        "message",
        "note",
        "solution",
        "workaround",
        "task",
    ),
)
WORDY = [kind for kind in KINDS if any(hasattr(FULL[kind], name) for name in FREE_TEXT)]
"""Kinds that tell what people wrote; that a service is handed over does not."""
every_kind = pytest.mark.parametrize("kind", KINDS)
every_language = pytest.mark.parametrize("language", LANGUAGES)


def with_words(notice: Notice, words: str) -> Notice:
    changed = {name: words for name in FREE_TEXT if hasattr(notice, name)}
    return replace(notice, **changed)  # type: ignore[arg-type] # fields there are


ABOUT_NO_INCIDENT = (
    AccessNotice,
    OnCallNotice,
    ClientSurveyQuestion,
    MonthReportNotice,
    OwnerNotice,
)
"""Notices that may name none."""


@every_kind
@every_language
def test_nothing_is_left_to_fill_and_nothing_missing_is_named(
    kind: str, language: Language
) -> None:
    for notice in (FULL, LEAST):
        plain = with_words(notice[kind], "words")
        said = say(plain, Reader(language, "Europe/Paris"), "fr")
        for text in (said.subject, said.body):
            assert not any(each in text for each in ("{", "}", "None", "True", "False"))
            assert "datetime" not in text
        assert "\n\n\n" not in said.body
        assert said.body.strip() + "\n" == said.body


@every_kind
@every_language
def test_the_subject_leaves_the_reference_to_whoever_sends_it_and_the_body_has_it(
    kind: str, language: Language
) -> None:
    said = say(FULL[kind], Reader(language, "Europe/Paris"), "fr")

    assert REF not in said.subject
    assert REF in said.body or isinstance(FULL[kind], ABOUT_NO_INCIDENT)


@given(
    words=st.text(), kind=st.sampled_from(WORDY), language=st.sampled_from(LANGUAGES)
)
def test_whatever_people_write_is_told_and_never_taken_for_a_place(
    words: str, kind: str, language: Language
) -> None:
    notice = with_words(FULL[kind], "{incident} {0} {x!r} " + words)

    said = say(notice, Reader(language, "UTC", words), "fr")

    assert "{incident} {0} {x!r} " in said.subject + said.body


@given(st.lists(st.text(st.characters(exclude_categories=("C", "Z"))), min_size=1))
def test_a_users_words_are_given_line_by_line_as_they_wrote_them(
    lines: list[str],
) -> None:
    words = "\n".join(["first", *lines, "last"])

    body = say(Receipt(REF, "title", words=words), NADIA, "fr").body

    told = "\n".join(line.removeprefix("    ") for line in body.split("\n"))
    assert words in told


@pytest.mark.parametrize("kind", WORDY)
@every_language
def test_forgotten_words_are_called_erased(kind: str, language: Language) -> None:
    said = say(with_words(FULL[kind], FORGOTTEN), Reader(language, "UTC"), "fr")

    assert FORGOTTEN not in said.subject + said.body
    assert text_of(language, "mail", "erased") in said.body


def test_who_is_forgotten_is_greeted_all_the_same() -> None:
    body = say(FULL["update"], Reader("fr", "UTC", FORGOTTEN), "fr").body

    assert body.startswith("Bonjour,\n\n")


def test_who_is_known_is_greeted_by_name() -> None:
    assert say(FULL["update"], NADIA, "fr").body.startswith("Bonjour Nadia,\n\n")


@pytest.mark.parametrize(
    ("asked", "fallback", "written"),
    [
        ("fr", "en", "fr"),
        ("fr-CA", "en", "fr"),
        ("en_GB", "fr", "en"),
        ("EN", "fr", "en"),
        ("de", "fr", "fr"),
        (None, "fr", "fr"),
        ("", "en", "en"),
        ("de", "it", "en"),
    ],
)
def test_who_reads_none_of_our_languages_is_written_to_in_the_desks_first(
    asked: str | None, fallback: str, written: Language
) -> None:
    assert language_of(asked, fallback) == written


def test_a_message_falls_back_like_that() -> None:
    stranger = Reader("de", "Europe/Paris")

    assert say(FULL["taken"], stranger, "en") == say(
        FULL["taken"], Reader("en", "Europe/Paris"), "fr"
    )


@every_language
def test_without_a_contract_nothing_is_promised(language: Language) -> None:
    body = say(LEAST["receipt"], Reader(language, "Europe/Paris"), "fr").body

    assert not any(each in body for each in ("prome", "contrat", "promis", "contract"))


def test_what_keeps_the_promise_is_what_the_contract_names() -> None:
    restored = Receipt(REF, "title", (Promise("ttr", 60),))
    resolved = Receipt(REF, "title", (Promise("ttr", 60, stops_at="resolved"),))

    assert "rétablissement du service" in say(restored, NADIA, "fr").body
    assert "résolution de l’incident" in say(resolved, NADIA, "fr").body


def test_that_somebody_takes_it_on_is_not_promised_once_somebody_has() -> None:
    promises = (Promise("tto", 60), Promise("ttr", 60))
    plain = say(Receipt(REF, "title", promises), NADIA, "fr").body
    taken = say(Receipt(REF, "title", promises, taken=True), NADIA, "fr").body

    assert "prise en charge" in plain
    assert "prise en charge" not in taken


def test_a_question_says_that_a_clock_stands_only_where_it_does() -> None:
    assert "suspendu" in say(FULL["question"], NADIA, "fr").body
    assert "suspendu" not in say(LEAST["question"], NADIA, "fr").body


def test_whose_incident_was_merged_is_told_to_answer_under_the_other() -> None:
    assert "[INC-000016]" in say(FULL["merged"], NADIA, "fr").body


def test_words_do_not_leave_their_place_at_the_margin() -> None:
    body = say(Update(REF, "title", "a\nLe centre de services"), NADIA, "fr").body

    assert body.count("\nLe centre de services") == 1


def test_triggers_and_targets_are_those_of_policy_and_log() -> None:
    told = ManagersAreTold.model_fields["on"].annotation

    assert set(get_args(Trigger)) == set(get_args(get_args(told)[0]))
    assert set(get_args(Target)) == set(get_args(SlaTarget))
