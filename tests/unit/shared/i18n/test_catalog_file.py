"""A damaged file of translations is refused with a sentence that says where it is."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from docs.generate.catalogs import ROOT
from shared.i18n import catalog
from shared.i18n.catalog import FOLDER, check_languages
from shared.i18n.catalog_file import check_places, is_code, read_catalog
from shared.mistake import DamagedFile

HEAD = 'msgid ""\nmsgstr "Plural-Forms: nplurals=2; plural=(n != 1);\\n"\n\n'
ENGLISH = read_catalog(FOLDER / "en.po")


def written(folder: Path, text: str) -> Path:
    file = folder / "nl.po"
    file.write_text(HEAD + text, encoding="utf-8")
    return file


def translated(source: str, translation: str, context: str = "") -> str:
    first = f'msgctxt "{context}"\n' if context else ""
    return f'{first}msgid "{source}"\nmsgstr "{translation}"\n'


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (4, "this is not a po file <<<<<<< HEAD\n"),
        (5, 'msgid "Sign in"\nmsgstr "Aanmelden\n'),
        (5, 'msgid "Sign in"\nmsgstr Aanmelden"\n'),
        (6, 'msgid "Sign in"\nmsgstr ""\n"Aan"melden"\n'),
        (5, '#~ msgid "Sign in"\n#~ msgstr "Aanmelden\n'),
        (4, 'msgid "Sign in"\n\nmsgid "Sign out"\nmsgstr ""\n'),
    ],
)
def test_a_damaged_line_is_named(tmp_path: Path, line: int, text: str) -> None:
    with pytest.raises(DamagedFile, match=rf"line {line} of .*nl\.po: "):
        read_catalog(written(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (translated("Hello %(name)s,", "Dag %(nam)s,"), r"%\(nam\)s.*use %\(name\)s"),
        (translated("Hello %(name)s,", "Dag %(name),"), r"Dag %\(name\),.*as %\(title"),
        (translated("Sign in", "100 % aanmelden"), "percent sign as %%"),
        (
            translated("incident.acknowledged", "{wie} heeft het", "sentence"),
            r"\{wie\}.*\(sentence, incident\.acknowledged\).*use \{who\}",
        ),
        (
            translated("incident.acknowledged", "{who heeft het", "sentence"),
            r"\{who heeft het",
        ),
        (translated("city", "{stad} tijd", "format"), r"\{stad\}.*use \{city\}"),
    ],
)
def test_a_place_that_english_has_not_is_named(
    tmp_path: Path, text: str, why: str
) -> None:
    file = written(tmp_path, text)

    with pytest.raises(DamagedFile, match=f"line [45] of .*nl.po: .*{why}"):
        check_places(file, read_catalog(file), ENGLISH)


def test_what_is_not_translated_yet_is_accepted(tmp_path: Path) -> None:
    file = written(tmp_path, translated("Hello %(name)s,", ""))

    check_places(file, read_catalog(file), ENGLISH)


def test_our_own_languages_are_accepted() -> None:
    check_languages()


def test_each_language_is_checked_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(FOLDER / "en.po", tmp_path)
    written(tmp_path, translated("Hello %(name)s,", "Dag %(nam)s,"))
    monkeypatch.setattr(catalog, "FOLDER", tmp_path)
    monkeypatch.setattr(catalog, "LANGUAGES", ("nl", "en"))
    for known in (catalog._catalog, check_languages):
        known.cache_clear()  # it is of another folder

    with pytest.raises(DamagedFile, match="nam"):
        check_languages()
    catalog._catalog.cache_clear()  # it is of another folder


@pytest.mark.parametrize("service", ["intake", "escalation", "projections"])
def test_a_service_that_writes_texts_checks_them(service: str) -> None:
    app = (ROOT / "services" / service / "app.py").read_text(encoding="utf-8")

    assert "\n    check_languages()\n" in app


@pytest.mark.parametrize("code", ["xx", "Dutch", "../x", "nl_BE", ""])
def test_what_is_no_language_is_not_added(code: str) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "docs.generate.catalogs", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert not is_code(code)
    assert run.returncode == 1
    assert run.stderr == (
        f"ADD={code}: not a language of the CLDR; write its code, as nl\n"
    )
