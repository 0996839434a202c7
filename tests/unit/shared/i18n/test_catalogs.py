"""Each language has every text, with its places; a file more is a language more."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import write_po
from jinja2 import Environment, FileSystemLoader, meta

from docs.generate.catalogs import ROOT, catalog_of, file_of, messages, template_of
from shared.domain.events import EVENT_TYPES
from shared.i18n.catalog import ENGLISH, FOLDER, LANGUAGES, Language
from shared.i18n.catalog_file import texts
from shared.i18n.messages import MAILS
from tests.support.builders.notices import FULL, LEAST

PLACE = re.compile(r"%\((\w+)\)s|\{(\w+)\}|^(\w+)\? ", re.MULTILINE)
WRONG_IN_FRENCH = re.compile(r"[^\xa0][:;!?»%](?:\W|$)|«[^\xa0]|'")
PHRASE = re.compile(r"{% trans.*?endtrans %}", re.DOTALL)
BARE_SIGN = re.compile(r"(?:\}\}|%\}|</\w+>)[:;](?=[\s<]|$)[^\n]{0,30}")
PARTS = {"users/mail", "users/promised", "users/if_it_returns", "promises"} | {
    "on_call/link",
    "staff/review_link",
    "staff/survey_link",
    "staff/mail",
    "staff/manager",
    "staff/words",
    "staff/link",
}
"""Templates that are not a mail, but a part of some."""
OF_ENGLISH = {"refusal"}
"""Contexts whose texts English may leave out: the sentence of the API is shown."""
SINGLE = {
    *("format", "mail", "refusal", "page", "page.field", "explanation", "consumption")
}
"""Contexts whose names are looked up one by one; of others any value may be."""
every_language = pytest.mark.parametrize("language", LANGUAGES)
other_languages = pytest.mark.parametrize(
    "language", [each for each in LANGUAGES if each != ENGLISH]
)


def key(message: Message) -> tuple[str | None, str]:
    return message.context, str(message.id)


def is_whole(message: Message) -> bool:
    return all(
        message.string if isinstance(message.string, tuple) else [message.string]
    )


def places(text: str) -> set[str]:
    return {name for found in PLACE.findall(text) for name in found if name}


ENGLISH_TEXTS = {key(each): each for each in messages(catalog_of(ENGLISH))}


@every_language
def test_no_text_is_missing(language: Language) -> None:
    missing = [
        key(each)
        for each in messages(catalog_of(language))
        if not is_whole(each)
        and not (language == ENGLISH and each.context in OF_ENGLISH)
    ]
    asked = {key(each) for each in messages(template_of(language))}
    missing += asked - {key(each) for each in messages(catalog_of(language))}

    assert not missing, "\n".join(
        ["run `make catalogs`, and write them into the file:", *map(str, missing)]
    )


@every_language
def test_no_text_is_left_over(language: Language) -> None:
    asked = {key(each) for each in messages(template_of(language))}
    unused = {key(each) for each in messages(catalog_of(language))} - asked

    assert unused == set(), f"run `make catalogs`, and delete them from {language}.po"
    assert list(catalog_of(language).obsolete) == []


@every_language
def test_a_file_is_as_the_command_writes_it(language: Language) -> None:
    written = (FOLDER / f"{language}.po").read_text(encoding="utf-8")

    assert written == file_of(language), "run `make catalogs`"


@other_languages
def test_a_translation_has_the_places_of_its_text_and_no_others(
    language: Language,
) -> None:
    wrong = []
    for each in messages(catalog_of(language)):
        named = ENGLISH_TEXTS.get(key(each))
        source = str(named.string) if named else "".join(each.id)
        if source and each.context != "format":
            wrong += [text for text in texts(each) if places(text) != places(source)]

    assert not wrong, "\n".join(wrong)


def test_french_is_set_as_a_printer_would() -> None:
    for each in messages(catalog_of("fr")):
        for text in texts(each):
            plain = PLACE.sub("x", text).replace("%%", "%")
            if each.context != "format":
                assert not WRONG_IN_FRENCH.search(plain), text


def test_french_calls_a_page_appel_and_keeps_alerte_for_monitoring() -> None:
    mixed = []
    for each in messages(catalog_of("fr")):
        named = ENGLISH_TEXTS.get(key(each))
        source = f"{each.id} {named.string if named else ''}".lower()
        shown = " ".join(texts(each)).lower()
        if "alert" in shown and "alert" not in source:
            mixed.append((each.context, each.id, shown))

    assert mixed == []


def test_no_template_writes_a_colon_itself_which_french_sets_apart() -> None:
    found = []
    for folder in ("services", "shared"):
        for path in (ROOT / folder).rglob("*.html"):
            phrases = PHRASE.sub("", path.read_text(encoding="utf-8"))
            found += [(path.name, each[0]) for each in BARE_SIGN.finditer(phrases)]

    assert found == [], 'write {{ _(": ") }} or {{ _("; ") }}, or a whole phrase'


def test_every_name_is_of_an_event_or_looked_up_somewhere() -> None:
    code = "".join(
        path.read_text(encoding="utf-8")
        for folder in ("services", "shared")
        for kind in ("*.py", "*.html")
        for path in (ROOT / folder).rglob(kind)
    )
    shown = {"whom"} | {
        name for each in EVENT_TYPES.values() for name in each.model_fields
    }
    for context, name in ENGLISH_TEXTS:
        place, _, field = str(context).partition(".")
        if context in {"sentence", "brief"}:
            assert name.split("/")[0] in EVENT_TYPES
        elif place == "timeline":
            assert field in shown
        elif context in SINGLE:
            assert f'"{name}"' in code, name
        else:
            assert f'"{context}"' in code or f'language, "{field}"' in code


def test_every_mail_has_an_example_in_full_and_with_the_least() -> None:
    mails = {
        str(file.relative_to(MAILS).with_suffix("")) for file in MAILS.rglob("*.txt")
    }

    assert FULL.keys() == LEAST.keys()
    for kind in FULL:
        assert FULL[kind].template == LEAST[kind].template
        assert kind.startswith(FULL[kind].template.split("/")[1])
    assert {notice.template for notice in FULL.values()} == mails - PARTS


@pytest.mark.parametrize("kind", FULL)
def test_the_places_of_a_mail_are_fields_of_its_notice(kind: str) -> None:
    templates = Environment(  # noqa: S701 # a mail is plain text
        loader=FileSystemLoader(MAILS), extensions=["jinja2.ext.i18n"]
    )
    assert templates.loader
    named: set[str] = set()
    left = [f"{FULL[kind].template}.txt"]
    for file in left:
        tree = templates.parse(templates.loader.get_source(templates, file)[0])
        named |= meta.find_undeclared_variables(tree)
        left += [each for each in meta.find_referenced_templates(tree) if each]

    known = {each.name for each in fields(FULL[kind])}
    assert named <= known | {"name", "link", "reference", "gettext", "pgettext", "_"}


SCRIPT = """
from shared.i18n.catalog import LANGUAGES
from shared.i18n.formats import Reader
from shared.i18n.messages import say
from services.projections.timeline.sentences import sentence
from services.projections.web.rendering import page
from tests.support.builders.notices import FULL

print(LANGUAGES)
print(say(FULL["taken"], Reader("nl-BE", "Europe/Brussels", "Zoe"), "en").body)
print(sentence("incident.acknowledged", "person:zoe", {}, "nl"))
print(sentence("incident.sung", "person:zoe", {}, "nl"))
print(page("sign_in.html", "nl").body.decode())
"""


@pytest.mark.parametrize("is_whole", [True, False])
def test_a_file_more_is_a_language_more(tmp_path: Path, *, is_whole: bool) -> None:
    shutil.copytree(
        ROOT / "shared", tmp_path / "shared", ignore=shutil.ignore_patterns("*.pyc")
    )
    dutch = Catalog(locale="nl")
    if is_whole:
        for each in messages(template_of("nl")):
            named = ENGLISH_TEXTS.get(key(each))
            english = str(named.string) if named else each.id
            is_plain = each.context not in {"format", "sentence"}
            text = f"NL {english}" if is_plain and isinstance(english, str) else english
            dutch.add(each.id, text, context=each.context)
    with (tmp_path / "shared" / "i18n" / "languages" / "nl.po").open("wb") as file:
        write_po(file, dutch)
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}", "PYTHONSAFEPATH": "1"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert "('fr', 'nl', 'en')" in run.stdout
    assert "maandag 30 juni 2025" in run.stdout or "dinsdag 1 juli 2025" in run.stdout
    assert "zoe took it on.\nzoe: incident.sung." in run.stdout
    assert 'title="Nederlands"' in run.stdout
    assert ("NL Hello Zoe," in run.stdout) == is_whole
    assert ("Hello Zoe," in run.stdout) is True
    assert ("<h1>NL Sign in</h1>" in run.stdout) == is_whole
