"""Message templates with placeholders: a subject and optional paragraphs.

A paragraph is included if all the fields it names have a value; one in a pair only if
its first item, a field, has one, too. Paragraphs that begin with a dash form a list.

The resulting message is plain text for every channel.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from string import Formatter

from shared.i18n.formats import Language, typeset


@dataclass(frozen=True)
class Message:
    """A subject of one line, without the incident's reference, and a body with it."""

    subject: str
    body: str


Paragraph = str | tuple[str, str]


@dataclass(frozen=True)
class Template:
    """A text of the desk; `{field}` is a placeholder for a field of the notice."""

    subject: str
    paragraphs: tuple[Paragraph, ...]


def filled(template: Template, said: Mapping[str, str], language: Language) -> Message:
    """Return the message filled with `said`, the words of all fields with a value."""
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
