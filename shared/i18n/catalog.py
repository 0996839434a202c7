"""The languages of the desk, and its texts in each of them.

Texts are written in English in the templates that need them, and translated in one file
for each language: `languages/<language>.po`. Texts that a program looks up by a name,
such as the sentence of an event type, are in all of these files, `en.po` included.

A file that is added there is a language more: no program changes.
"""

from collections.abc import Mapping
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.support import Translations
from jinja2 import Environment

from shared.i18n.catalog_file import check_places, read_catalog

FOLDER = Path(__file__).parent / "languages"
ENGLISH = "en"
"""The language of the templates, and of texts that a catalog does not translate."""


LANGUAGES = (*sorted({file.stem for file in FOLDER.glob("*.po")} - {ENGLISH}), ENGLISH)

if TYPE_CHECKING:
    Language: TypeAlias = str
else:
    Language = Literal[LANGUAGES]  # pydantic accepts and documents what is there


@cache
def _catalog(language: Language) -> Catalog:
    return read_catalog(FOLDER / f"{language}.po")


@cache
def check_languages() -> None:
    """Raise `DamagedFile` if a language is damaged: a service calls it at its start.

    Later, every message in that language would fail. A process checks them once.
    """
    for language in LANGUAGES:
        catalog = _catalog(language)
        check_places(FOLDER / f"{language}.po", catalog, _catalog(ENGLISH))


@cache
def _texts(language: Language) -> Mapping[str, Mapping[str, str]]:
    """Return the texts that have a name, by context; in English if not translated."""
    texts: dict[str, dict[str, str]] = {}
    for each in (*_catalog(ENGLISH), *_catalog(language)):
        if each.context and each.string:
            texts.setdefault(each.context, {})[each.id] = each.string
    return texts


def text_of(language: Language, context: str, name: str) -> str:
    """Return the text that has a name; the name itself if no catalog has one."""
    return _texts(language).get(context, {}).get(name, name)


def texts_of(language: Language, context: str) -> Mapping[str, str]:
    """Return all texts of a context that have a name, by name."""
    return _texts(language).get(context, {})


def translated(templates: Environment, language: Language) -> Environment:
    """Return `templates` with the texts of a language.

    A text may be written over several lines: their breaks and indents are not part of
    it.
    """
    templates.add_extension("jinja2.ext.i18n")
    templates.policies["ext.i18n.trimmed"] = True
    compiled = BytesIO()
    write_mo(compiled, _catalog(language))
    compiled.seek(0)
    templates.install_gettext_translations(  # type: ignore[attr-defined] # the extension adds it
        Translations(compiled), newstyle=True
    )
    return templates
