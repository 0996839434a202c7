"""Reading a field that may be missing, empty, a number, or a template nobody filled in.

Senders build their bodies from templates. Where a variable has no value they send the
empty text, or the name of the variable: both say nothing.
"""

import re
from collections.abc import Mapping

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
