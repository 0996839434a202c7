"""Writes into every catalog which texts the desk asks for: `make catalogs`.

Templates ask for the texts they are written in, as the page of metrics does for the
definitions; programs ask for names, and `en.po` lists these, with their English. A
translation that nothing asks for any more is kept at the end of its file, commented
out, until somebody deletes it.
"""

import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel import Locale
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import write_po

from services.projections.metrics.definitions import COUNTING, DEFINITIONS, GROUPING
from shared.i18n.catalog import ENGLISH, FOLDER, LANGUAGES
from shared.i18n.catalog_file import is_code, read_catalog
from shared.mistake import DamagedFile

ROOT = Path(__file__).parents[2]
_METHOD = "jinja2.ext:babel_extract"
_TEMPLATES = [
    ("shared/i18n/mails/**.txt", _METHOD),
    ("shared/**/templates/**.html", _METHOD),
    ("services/**/templates/**.html", _METHOD),
]
_DEFINITIONS = "services/projections/metrics/definitions.py"
_OPTIONS = {"trimmed": "true", "newstyle_gettext": "true", "silent": "false"}
WIDTH = 100
_HEAD = """\
# {name}. How to change it, and how to add a language: docs/how-to/translate.md
msgid ""
msgstr ""
"Language: {language}\\n"
"Plural-Forms: {plurals}\\n"
"Content-Type: text/plain; charset=utf-8\\n"

"""


def catalog_of(language: str) -> Catalog:
    """Return a catalog as it is; one without texts for a language that has none."""
    file = FOLDER / f"{language}.po"
    if not file.exists():
        return Catalog(locale=language)
    return read_catalog(file)


def messages(catalog: Catalog) -> Iterator[Message]:
    """Yield the messages of a catalog, without its header."""
    return (each for each in catalog if each.id)


def template_of(language: str) -> Catalog:
    """Return all texts that a language needs, as far as English has them in words.

    English needs the names only: its other texts are the templates'.
    """
    catalog = Catalog(locale=language)
    names = sorted(
        messages(catalog_of(ENGLISH)), key=lambda each: (each.context, each.id)
    )
    for name in names:
        is_shown = language != ENGLISH and name.string != ""
        comments = [f"English: {name.string}"] if is_shown else []
        catalog.add(name.id, context=name.context, auto_comments=comments)
    if language != ENGLISH:
        for file, line, text, _, context in extract_from_dir(
            ROOT, _TEMPLATES, {"**": _OPTIONS}, directory_filter=_is_ours
        ):
            catalog.add(text, locations=[(file, line)], context=context)
        for text in (
            COUNTING,
            GROUPING,
            *(each.meaning for each in DEFINITIONS.values()),
        ):
            catalog.add(text, locations=[(_DEFINITIONS, 1)])
    return catalog


def _is_ours(folder: str) -> bool:
    path = Path(folder).relative_to(ROOT)
    return path.parts[:1] in ((), ("shared",), ("services",))


def file_of(language: str) -> str:
    """Return the contents of a language's file, with all texts that it needs."""
    catalog = catalog_of(language)
    catalog.update(template_of(language), no_fuzzy_matching=True)
    body = BytesIO()
    write_po(body, catalog, width=WIDTH, omit_header=True, include_lineno=False)
    head = _HEAD.format(
        name=Locale.parse(language).english_name,
        language=language,
        plurals=catalog.plural_forms,
    )
    return head + body.getvalue().decode("utf-8").strip("\n") + "\n"


def main() -> None:
    """Update all catalogs, and those of the languages that are given.

    A damaged one is refused before any is written.
    """
    for code in sys.argv[1:]:
        if not is_code(code):
            sys.exit(f"ADD={code}: not a language of the CLDR; write its code, as nl")
    try:
        files = {
            language: file_of(language)
            for language in dict.fromkeys((*LANGUAGES, *sys.argv[1:]))
        }
    except DamagedFile as error:
        sys.exit(str(error))
    for language, text in files.items():
        file = FOLDER / f"{language}.po"
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")
            print(f"written: {file.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
