"""Reading a field that may be missing, empty, a number, or a template nobody filled in.

Senders build their bodies from templates. Where a variable has no value they send the
empty text, or the name of the variable: both say nothing.

Making texts fit that nobody will send again in a better form.

What else a source said, as short JSON text for people to read.

The title of what a system tells: the first of several fields that says something.

Which of a source's own fields are fit to be labels: short ones, of one line.
"""

import json
import re
from collections.abc import Mapping

import orjson

from services.intake.signals.schemas import (
    DETAILS_MAX,
    LABEL_MAX,
    LABELS_BYTES_MAX,
    LABELS_MAX,
    labels_size,
)
from shared.domain.bounded_text import TITLE_MAX

_UNRENDERED = re.compile(
    r"\{\{[^{}]*\}\}"  # {{host.name}}: Datadog, Grafana, Jinja
    r"|\$?\{[A-Za-z0-9_.:#]+\}"  # ${host}: shells; {HOST.NAME}: Zabbix
    r"|\$[A-Za-z0-9_:.]+\$"  # $HOSTNAME$, $host.name$: Nagios, Icinga
    r"|\*[a-z]+[A-Z][A-Za-z]*\*"  # *alertDetails*: UptimeRobot
    r"|\*UNKNOWN\*"  # Zabbix, for a macro it could not resolve
)


_PUNCTUATION = re.compile(r"[^a-z0-9]+")


def text(said: object) -> str | None:
    """Return what `said` says as text without space around it, None for nothing.

    A number counts as its digits, since senders differ in whether they quote them. A
    text that is as a whole an unrendered template counts as absent.
    """
    match said:
        case bool():
            return None
        case int() | float():
            return str(said)
        case str():
            stripped = said.strip()
            return None if _UNRENDERED.fullmatch(stripped) else stripped or None
        case _:
            return None


def first_text(fields: Mapping[str, object], *names: str) -> str | None:
    """Return what the first of the named fields says that says anything."""
    return next(filter(None, (text(fields.get(name)) for name in names)), None)


def texts(fields: Mapping[str, object], /, **named: str) -> dict[str, str]:
    """Return labels, `label="its field"`, of those fields that say something."""
    said = {label: text(fields.get(name)) for label, name in named.items()}
    return {label: value for label, value in said.items() if value is not None}


def all_texts(fields: Mapping[str, object]) -> dict[str, str]:
    """Return the fields that are words or numbers, under their own names."""
    said = {name: text(value) for name, value in fields.items()}
    return {name: value for name, value in said.items() if value is not None}


def inner(fields: Mapping[str, object], name: str) -> Mapping[str, object]:
    """Return the object in a field, an empty one where there is none."""
    said = fields.get(name)
    return said if isinstance(said, dict) else {}


def rendered(fields: Mapping[str, object]) -> dict[str, object]:
    """Return the fields that say something, for the details."""
    return {
        name: value
        for name, value in fields.items()
        if not (value is None or (isinstance(value, str) and text(value) is None))
    }


def plainly_named(fields: Mapping[str, object]) -> dict[str, object]:
    """Return the fields named in small letters and digits only.

    `monitorID`, `monitor_id` and `MONITOR.ID` are one: where templates are written by
    hand, everybody has a way of their own. Of several the first that says anything.
    """
    plain: dict[str, object] = {}
    for name, value in fields.items():
        short = _PUNCTUATION.sub("", name.lower())
        if text(plain.get(short)) is None:
            plain[short] = value
    return plain


_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
_NEVER = re.compile("[\x00\ud800-\udfff]")


def one_line(text: str, most: int) -> str:
    """Return `text` as one line without control characters, of at most `most`."""
    if not text.isprintable():
        text = _NEVER.sub("\ufffd", _CONTROL.sub(" ", text))
    return _cut(text.strip(), most)


def some_lines(text: str, most: int) -> str:
    """Return `text` as people wrote it, without other control characters."""
    lines = [one_line(line, most) for line in text.splitlines()]
    return _cut("\n".join(lines).strip("\n"), most)


def fitting_labels(labels: Mapping[str, object]) -> dict[str, str]:
    """Return the labels as texts within the limits, of too many the shortest."""
    fitting = {_fit(name): _fit(value) for name, value in labels.items()}
    if len(fitting) <= LABELS_MAX and labels_size(fitting) <= LABELS_BYTES_MAX:
        return fitting
    kept: dict[str, str] = {}
    room = LABELS_BYTES_MAX
    for name in sorted(fitting, key=lambda name: (len(fitting[name]), name)):
        room -= labels_size({name: fitting[name]})
        if room < 0 or len(kept) == LABELS_MAX:
            break
        kept[name] = fitting[name]
    return kept


def _fit(value: object) -> str:
    text = value if isinstance(value, str) else str(value)
    if not text.isprintable():
        text = _NEVER.sub("\ufffd", text)
    return _cut(text, LABEL_MAX)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


_CUT = "… (cut; the raw body has all of it)"


def details_text(said: object) -> str:
    """Return `said` as compact JSON, keys sorted, cut where it is long.

    `said` is JSON no deeper than a body may be.
    """
    try:
        text = orjson.dumps(said, option=orjson.OPT_SORT_KEYS).decode()
    except TypeError:  # whole numbers beyond 64 bits, halves of surrogate pairs
        text = json.dumps(said, separators=(",", ":"), sort_keys=True)
    if len(text) <= DETAILS_MAX:
        return text
    return text[: DETAILS_MAX - len(_CUT)] + _CUT


def title_of(*said: object) -> str | None:
    """Return the first text there is as one line, None where there is none."""
    lines = (one_line(text(each) or "", TITLE_MAX) for each in said)
    return next(filter(None, lines), None)


_SHORT = 128


def labels_of(said: object, **own: object) -> dict[str, str]:
    """Return the short fields of `said`, and over them what the format itself names.

    A policy reads labels, people read details: a log excerpt is no label.
    """
    fields = said if isinstance(said, dict) else {}
    short = {str(name): value for name, value in fields.items() if _is_short(value)}
    named = {name: value for name, value in own.items() if _is_said(value)}
    return fitting_labels({**short, **named})


def _is_short(value: object) -> bool:
    if not isinstance(value, str):
        return isinstance(value, int | float) and abs(value) < 10**_SHORT
    return 0 < len(value) <= _SHORT and value.isprintable()


def _is_said(value: object) -> bool:
    return value is not None and value not in ("", [], {})
