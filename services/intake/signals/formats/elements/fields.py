"""Reads fields that may be missing, empty, numbers, instants or unrendered templates.

Senders build their bodies from templates. If a variable has no value, they send an
empty text or the name of the variable: both count as absent. The texts are made to fit
our limits, since nobody will send them again in a better form: titles and labels on one
line, other fields as short JSON text for people to read.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo

import orjson

from services.intake.records.signal import (
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
    """Return `said` as text without surrounding space, or None if it is empty.

    Numbers become their digits, since senders differ in whether they quote them. A text
    that consists of an unrendered template counts as absent.
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
    """Return the first non-empty text among the named fields."""
    return next(filter(None, (text(fields.get(name)) for name in names)), None)


def texts(fields: Mapping[str, object], /, **named: str) -> dict[str, str]:
    """Return labels, `label="its field"`, for the fields that are not empty."""
    said = {label: text(fields.get(name)) for label, name in named.items()}
    return {label: value for label, value in said.items() if value is not None}


def all_texts(fields: Mapping[str, object]) -> dict[str, str]:
    """Return the fields that are texts or numbers, under their own names."""
    said = {name: text(value) for name, value in fields.items()}
    return {name: value for name, value in said.items() if value is not None}


def inner(fields: Mapping[str, object], name: str) -> Mapping[str, object]:
    """Return the object in a field, or an empty object."""
    said = fields.get(name)
    return said if isinstance(said, dict) else {}


def rendered(fields: Mapping[str, object]) -> dict[str, object]:
    """Return the fields that are not empty, for the details."""
    return {
        name: value
        for name, value in fields.items()
        if not (value is None or (isinstance(value, str) and text(value) is None))
    }


def plainly_named(fields: Mapping[str, object]) -> dict[str, object]:
    """Return the fields with names reduced to lower-case letters and digits.

    `monitorID`, `monitor_id` and `MONITOR.ID` are the same: people who write templates
    by hand spell names differently. Of several, the first that is not empty counts.
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
    """Return `text` as one line without control characters, at most `most` long."""
    if not text.isprintable():
        text = _NEVER.sub("\ufffd", _CONTROL.sub(" ", text))
    return _cut(text.strip(), most)


def some_lines(text: str, most: int) -> str:
    """Return `text` with its line breaks, without other control characters."""
    lines = [one_line(line, most) for line in text.splitlines()]
    return _cut("\n".join(lines).strip("\n"), most)


def fitting_labels(labels: Mapping[str, object]) -> dict[str, str]:
    """Return the labels as texts within the limits; if too many, the shortest."""
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
    """Return `said` as compact JSON with sorted keys, cut if too long.

    `said` must be JSON that nests no deeper than a body may.
    """
    try:
        text = orjson.dumps(said, option=orjson.OPT_SORT_KEYS).decode()
    except TypeError:  # integers beyond 64 bits, lone surrogates
        text = json.dumps(said, separators=(",", ":"), sort_keys=True)
    if len(text) <= DETAILS_MAX:
        return text
    return text[: DETAILS_MAX - len(_CUT)] + _CUT


def title_of(*said: object) -> str | None:
    """Return the first non-empty text as one line, or None."""
    lines = (one_line(text(each) or "", TITLE_MAX) for each in said)
    return next(filter(None, lines), None)


_SHORT = 128


def labels_of(said: object, **own: object) -> dict[str, str]:
    """Return the short fields of `said` as labels, overridden by those in `own`.

    Policies match labels, while people read details: a log excerpt belongs in the
    details.
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


_SECONDS_BELOW = 10**11
_MILLIS_BELOW = 10**14
_MICROS_BELOW = 10**17
"""As seconds, a number this large is in the year 5138: its unit must be smaller."""
_NUMBER = re.compile(r"[0-9]{1,20}(\.[0-9]{1,9})?")
_DOTTED_OFFSET = re.compile(r"(?<=[+-]\d\d)\.(?=\d\d$)")
_FIRST_YEAR = 1970
"""Some systems write an earlier date to mark a missing instant."""


def instant(said: object, zone: tzinfo = UTC) -> datetime | None:
    """Return the instant in UTC, or None if `said` is not one.

    Numbers, also as text, are seconds, milliseconds, microseconds or nanoseconds since
    1970. A text without an offset is local time in `zone`. A value that cannot be read
    gives None rather than an error: the signal matters more than its date.
    """
    try:
        match said:
            case bool() | None:
                return None
            case int() | float():
                return _since_1970(float(said))
            case str() if _NUMBER.fullmatch(said.strip()):
                return _since_1970(float(said))
            case str():
                return _written(said.strip(), zone)
            case _:
                return None
    except (ValueError, OverflowError, OSError):
        return None


def _since_1970(number: float) -> datetime | None:
    for bound, unit in (
        (_SECONDS_BELOW, 1),
        (_MILLIS_BELOW, 1e3),
        (_MICROS_BELOW, 1e6),
    ):
        if number < bound:
            return datetime.fromtimestamp(number / unit, UTC) if number > 0 else None
    return datetime.fromtimestamp(number / 1e9, UTC)


def _written(text: str, zone: tzinfo) -> datetime | None:
    read = datetime.fromisoformat(_DOTTED_OFFSET.sub(":", text))
    if read.year < _FIRST_YEAR:
        return None
    return (read if read.tzinfo else read.replace(tzinfo=zone)).astimezone(UTC)
