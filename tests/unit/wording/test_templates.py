"""Templates: one of each kind in each language, and no place left to fill."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from itertools import chain
from string import Formatter

import pytest

from shared.i18n.formats import LANGUAGES, Language, typeset
from shared.i18n.messages import TO_STAFF, TO_USERS
from shared.i18n.notice_kinds import (
    CODES,
    STAFF_KINDS,
    USER_KINDS,
    StaffKind,
    UserKind,
    staff_kind,
    user_kind,
)
from shared.i18n.staff_notices import StaffNotice
from shared.i18n.template import Message, Template, filled
from tests.support.notices import FULL, LEAST

WRONG_IN_FRENCH = re.compile(r"[^\xa0][:;!?%»](?:\W|$)|«[^\xa0]|'")
KINDS = (*USER_KINDS, *STAFF_KINDS)
every_template = pytest.mark.parametrize(
    ("language", "kind"), [(one, kind) for one in LANGUAGES for kind in KINDS]
)


def template_of(language: Language, kind: UserKind | StaffKind) -> Template:
    templates: Mapping[UserKind | StaffKind, Template] = dict(
        chain(TO_USERS[language].items(), TO_STAFF[language].items())
    )
    return templates[kind]


def texts(template: Template) -> Iterator[str]:
    yield template.subject
    for each in template.paragraphs:
        yield each if isinstance(each, str) else each[1]


def places(template: Template) -> set[str]:
    return {
        name
        for text in texts(template)
        for _, name, _, _ in Formatter().parse(text)
        if name is not None
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_has_a_template_in_every_language(language: Language) -> None:
    assert set(TO_USERS[language]) == set(USER_KINDS)
    assert set(TO_STAFF[language]) == set(STAFF_KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_an_example_of_its_own(kind: UserKind | StaffKind) -> None:
    for notice in (FULL[kind], LEAST[kind]):
        if isinstance(notice, StaffNotice):
            assert staff_kind(notice) == kind
        else:
            assert user_kind(notice) == kind


@every_template
def test_its_places_are_fields_of_its_notice(
    language: Language, kind: UserKind | StaffKind
) -> None:
    notice = FULL[kind]
    known = {each.name for each in fields(notice)} | {"greeting"}
    template = template_of(language, kind)
    flags = {each[0] for each in template.paragraphs if isinstance(each, tuple)}

    assert places(template) | flags <= known


@every_template
def test_no_place_is_a_yes_or_no(
    language: Language, kind: UserKind | StaffKind
) -> None:
    placed = places(template_of(language, kind)) - {"greeting"}

    assert not any(isinstance(getattr(FULL[kind], name), bool) for name in placed)


@pytest.mark.parametrize("kind", KINDS)
def test_both_languages_say_the_same_things(kind: UserKind | StaffKind) -> None:
    assert places(template_of("fr", kind)) == places(template_of("en", kind))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_is_told_in_every_language(language: Language) -> None:
    assert {name: set(codes) for name, codes in CODES[language].items()} == {
        name: set(codes) for name, codes in CODES["fr"].items()
    }


@pytest.mark.parametrize("kind", KINDS)
def test_french_is_set_as_a_printer_would(kind: UserKind | StaffKind) -> None:
    for text in texts(template_of("fr", kind)):
        assert not WRONG_IN_FRENCH.search(typeset(text, "fr")), text


def test_a_paragraph_is_left_out_with_what_it_would_say() -> None:
    template = Template("{a}", ("- {a}", "- {b}", "- {a}!", ("c", "all of {a}"), "end"))

    assert filled(template, {"a": "1"}, "en") == Message("1", "- 1\n- 1!\n\nend\n")
    assert filled(template, {"a": "1", "b": "2", "c": "yes"}, "en") == Message(
        "1", "- 1\n- 2\n- 1!\n\nall of 1\n\nend\n"
    )
