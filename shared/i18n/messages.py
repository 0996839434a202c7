"""Renders a notice as a message in its reader's language.

`mails/<template>.txt` has its subject and its body; a value that is empty is "" there.
The message is plain text for every channel.
"""

from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from textwrap import indent
from typing import NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from shared.domain.events.event import FORGOTTEN
from shared.i18n.access_notices import AccessNotice
from shared.i18n.catalog import Language, text_of, translated
from shared.i18n.formats import (
    Reader,
    day_text,
    duration_text,
    instant_text,
    language_of,
    month_text,
)
from shared.i18n.on_call_notices import (
    ChangeLine,
    IncidentLine,
    OnCallNotice,
    ShiftLine,
    SwapLine,
    WorkLine,
)
from shared.i18n.owner_notices import OwnerNotice
from shared.i18n.staff_notices import StaffNotice
from shared.i18n.user_notices import (
    WITHHELD,
    MonthReportNotice,
    Promise,
    SurveyInvitationNotice,
    UserNotice,
)

Notice = (
    UserNotice
    | SurveyInvitationNotice
    | MonthReportNotice
    | OwnerNotice
    | StaffNotice
    | AccessNotice
    | OnCallNotice
)
MAILS = Path(__file__).parent / "mails"
QUOTED = frozenset(
    {
        *("words", "question", "message", "note", "solution", "solutions", "incidents"),
        *("workaround", "why", "evidence", "task"),
    }
)
"""Fields with texts of people: indented, otherwise unchanged."""
_CAPITALS = frozenset({"priority", "level"})


@dataclass(frozen=True)
class Message:
    """A subject of one line, without the incident's reference, and a body with it."""

    subject: str
    body: str


class PromiseText(NamedTuple):
    """A promise in words; `kept_by` is what fulfils it, or `update`."""

    kept_by: str
    duration: str
    due_at: str


def say(
    notice: Notice,
    reader: Reader,
    fallback: str,
    link: str = "",
) -> Message:
    """Return the message for `reader`, in their language and time zone.

    `fallback` is the desk's first language, for readers of unsupported languages;
    `link` leads a user to the page of their incident.
    """
    language = language_of(reader.language, fallback)
    template = _templates(language).get_template(f"{notice.template}.txt")
    values = template.new_context(
        {
            "link": link,
            "name": "" if reader.name == FORGOTTEN else reader.name,
            **{
                each.name: _value(
                    each.name, getattr(notice, each.name), reader.zone, language
                )
                for each in fields(notice)
            },
        }
    )
    subject = "".join(template.blocks["subject"](values))
    body = "".join(template.root_render_func(values))
    return Message(subject, body.strip("\n") + "\n")


@cache
def _templates(language: Language) -> Environment:
    templates = Environment(  # noqa: S701 # a mail is plain text
        loader=FileSystemLoader(MAILS), undefined=StrictUndefined
    )
    return translated(templates, language)


def _value(  # noqa: PLR0911 # a return for each kind of value
    name: str, value: object, zone: str, language: Language
) -> object:
    """Return a value in words; "" for an empty value."""
    match value:
        case None:
            return ""
        case str():
            return _text(name, value, language)
        case date():
            return _moment(name, value, zone, language)
        case timedelta():
            return duration_text(value, language) if value else ""
        case tuple():
            return [_value("", each, zone, language) for each in value]
        case Promise():
            return _promise(value, zone, language)
        case ShiftLine() | IncidentLine() | WorkLine() | SwapLine() | ChangeLine():
            return {
                each.name: _value(each.name, getattr(value, each.name), zone, language)
                for each in fields(value)
            }
        case _:
            return value


def _moment(name: str, at: date, zone: str, language: Language) -> str:
    if isinstance(at, datetime):
        return instant_text(at, zone, language)
    return month_text(at, language) if name == "month" else day_text(at, language)


def _text(name: str, written: str, language: Language) -> str:
    if not written.strip():
        return ""
    if written == FORGOTTEN:
        written = text_of(language, "mail", "erased")
    if (name, written) == ("title", WITHHELD):
        return text_of(language, "mail", "withheld")
    if name == "role":
        return text_of(language, "timeline.role", written)
    if name in QUOTED:
        return indent(written.strip("\r\n"), "    ")
    return written.upper() if name in _CAPITALS else written


def _promise(promise: Promise, zone: str, language: Language) -> PromiseText:
    return PromiseText(
        promise.stops_at if promise.target == "ttr" else promise.target,
        duration_text(timedelta(seconds=promise.seconds), language),
        instant_text(promise.due_at, zone, language) if promise.due_at else "",
    )
