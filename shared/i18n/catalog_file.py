"""Reads a language's `.po` file, and refuses a damaged one instead of guessing.

A translation may use the places of its English text, such as `%(title)s` or `{team}`,
and no others: a message with another one could not be written at all.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from string import Formatter

from babel import Locale, UnknownLocaleError
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import PoFileError, read_po

from shared.mistake import DamagedFile

_LINE = re.compile(
    r'(?:(?:msgctxt|msgid|msgid_plural|msgstr(?:\[\d+\])?)\s+)?"(?:[^"\\]|\\.)*"'
)
_CODE = re.compile("[a-z]{2,3}")
_PLACE = re.compile(r"%\((\w+)\)s")
_FLAG = re.compile(r"(\w+)\? ")
_FORMATS: Mapping[str, frozenset[str]] = {
    "instant": frozenset({"day", "time", "zone"}),
    "city": frozenset({"city", "de_city"}),
    "offset": frozenset({"offset"}),
}
"""The places of patterns of instants, of which a language may leave out some."""


def is_code(language: str) -> bool:
    """Return whether it is a language of the CLDR, in the form `nl`."""
    if not _CODE.fullmatch(language):
        return False
    try:
        Locale.parse(language)
    except UnknownLocaleError:
        return False
    return True


def read_catalog(file: Path) -> Catalog:
    """Return the catalog of a file. Raises `DamagedFile` if it is damaged."""
    if not is_code(file.stem):
        raise DamagedFile(
            file, None, "rename it to the code of its language in the CLDR, as nl.po"
        )
    try:
        lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    except UnicodeDecodeError as error:
        raise DamagedFile(file, None, f"save it as UTF-8: {error.reason}") from error
    for number, line in enumerate(lines, 1):
        text = line.strip().removeprefix("#~").strip()
        if text and not text.startswith("#") and not _LINE.fullmatch(text):
            raise DamagedFile(
                file, number, f'neither a comment nor a text between quotes ("): {text}'
            )
    try:
        return read_po(lines, locale=file.stem, abort_invalid=True)
    except PoFileError as error:
        why = str(error).rpartition(" on ")[0]
        raise DamagedFile(file, error.lineno + 1, why) from error
    except ValueError as error:
        raise DamagedFile(file, None, f"not a gettext catalog: {error}") from error


def texts(message: Message) -> Iterator[str]:
    """Yield the translations of a message, one for each plural form; not empty ones."""
    match message.string:
        case str() as text:
            yield from filter(None, [text])
        case several:
            yield from filter(None, several or ())


def check_places(file: Path, catalog: Catalog, english: Catalog) -> None:
    """Raise `DamagedFile` for a translation with a place that its text has not."""
    for message in catalog:
        if not message.id:
            continue
        named = english.get(message.id, message.context)
        known = _known(message, named)
        for text in texts(message):
            try:
                unknown = places(text, is_named=named is not None) - known
            except ValueError as error:
                why = f"“{text}” cannot be filled in: {error}"
                raise DamagedFile(file, message.lineno, why) from error
            if unknown:
                sentence = _unknown(text, unknown, known, message, named)
                raise DamagedFile(file, message.lineno, sentence)


def places(text: str, *, is_named: bool) -> set[str]:
    """Return the places of a text: `{team}` if it has a name, else `%(title)s`.

    Raises `ValueError` if the text cannot be filled in.
    """
    if is_named:
        lines = text.split("\n")
        fields = chain.from_iterable(map(Formatter().parse, lines))
        flags = {flag[1] for line in lines if (flag := _FLAG.match(line))}
        return flags | {name for _, name, _, _ in fields if name is not None}
    if "%" in _PLACE.sub("", text.replace("%%", "")):
        raise ValueError("write a place as %(title)s, and a percent sign as %%")
    return set(_PLACE.findall(text))


def _known(message: Message, named: Message | None) -> set[str]:
    if message.context == "format":
        return set(_FORMATS.get(str(message.id), ()))
    if named is None:
        sources = [message.id] if isinstance(message.id, str) else message.id
    elif not named.string:  # only translations have this text
        return set()
    else:
        sources = list(texts(named))
    return {
        place for each in sources for place in places(each, is_named=named is not None)
    }


def _unknown(
    text: str,
    unknown: set[str],
    known: set[str],
    message: Message,
    named: Message | None,
) -> str:
    form = "%({})s" if named is None else "{{{}}}"
    wrong, right = (
        ", ".join(form.format(each) for each in sorted(several))
        for several in (unknown, known)
    )
    source = message.id if named is None else f"{message.context}, {message.id}"
    return (
        f"“{text}” has {wrong}, which the English text does not have ({source}): "
        + (f"use {right}" if right else "it has no places")
    )
