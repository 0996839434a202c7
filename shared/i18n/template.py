"""A message with places to fill: a subject and paragraphs, each said if it can be.

A paragraph is said if all the fields it names hold something; one in a pair if its
first, a field, does as well. Two that begin with a dash stand together as a list.

A message, ready to be read: plain text, whatever carries it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from string import Formatter

from shared.i18n.formats import Language, typeset


@dataclass(frozen=True)
class Message:
    """One line of subject, without a reference to the incident; a body that has it."""

    subject: str
    body: str


Paragraph = str | tuple[str, str]


@dataclass(frozen=True)
class Template:
    """Our own words; `{field}` is a place for a field of the notice."""

    subject: str
    paragraphs: tuple[Paragraph, ...]


def filled(template: Template, said: Mapping[str, str], language: Language) -> Message:
    """Return the message with `said`: each field that holds something, in words."""
    subject = typeset(template.subject, language).format_map(said)
    told = (_filled(each, said, language) for each in template.paragraphs)
    return Message(subject, _joined(each for each in told if each) + "\n")


def _filled(part: Paragraph, said: Mapping[str, str], language: Language) -> str:
    flag, text = part if isinstance(part, tuple) else (None, part)
    needed = {name for _, name, _, _ in Formatter().parse(text) if name}
    if flag is not None:
        needed.add(flag)
    return typeset(text, language).format_map(said) if needed <= said.keys() else ""


def _joined(paragraphs: Iterable[str]) -> str:
    whole, before = "", ""
    for each in paragraphs:
        list_goes_on = before.startswith("- ") and each.startswith("- ")
        gap = "" if not whole else "\n" if list_goes_on else "\n\n"
        whole, before = whole + gap + each, each
    return whole
