"""CloudEvents 1.x in structured, batched and binary mode.

https://github.com/cloudevents/spec/blob/main/cloudevents/spec.md

The attributes of an event are mapped to a signal: the type says whether something
recovered, the severity extension how severe it is, source and subject form the dedup
key, source and id form the event id. An event whose data is in our native format is
read as that. In binary mode the attributes are in the headers of the request. Data may
be bytes in base64.
"""

import base64
import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, get_args
from urllib.parse import unquote

import orjson

from services.intake.records.signal import DEDUP_KEY_MAX, EVENT_ID_MAX, Action
from services.intake.signals.formats.elements.fields import (
    details_text,
    instant,
    labels_of,
    one_line,
)
from services.intake.signals.formats.elements.upstream_alert import InboundDocument
from services.intake.signals.formats.native import read as read_native
from services.intake.signals.schemas import Heard, Rejected, signal_from
from shared.domain.bounded_text import TITLE_MAX
from shared.domain.policy.priorities import Severity

DATA_DEPTH_MAX = 24
"""Maximum nesting of JSON inside base64; deeper data is shown as text."""


def data_of(event: Mapping[str, Any]) -> object:
    """Return the data; `data_base64` must be a text or missing.

    Text that cannot be decoded is returned as it is: the attributes are enough to tell
    which alert this is and whether it is over.
    """
    coded = event.get("data_base64")
    if coded is None:
        return event.get("data")
    try:
        data = base64.b64decode(coded, validate=True)
    except ValueError:
        return {"data_base64": coded}
    return readable(data, str(event.get("datacontenttype") or ""))


def readable(data: bytes, kind: str) -> object:
    """Return bytes as JSON if so declared, else as text if they are text."""
    if not data:
        return None
    shallow = data.count(b"{") + data.count(b"[") <= DATA_DEPTH_MAX
    if is_json(kind) and shallow:
        try:
            return orjson.loads(data)
        except orjson.JSONDecodeError:
            pass
    try:
        return data.decode()
    except UnicodeDecodeError:
        return f"{len(data)} bytes of {kind or 'an unnamed type'}"


def is_json(kind: str) -> bool:
    """Return whether a content type is JSON; a missing content type counts as JSON."""
    plain = kind.partition(";")[0].strip().lower()
    return not plain or plain.endswith(("/json", "+json"))


CE = "ce-"
CONTENT_TYPE = "content-type"
_ENVELOPE = "application/cloudevents"


def attributes_in(headers: Mapping[str, str]) -> dict[str, object]:
    """Return the attributes in headers, percent-decoded; empty in structured mode.

    A body with a CloudEvents content type contains all attributes, so headers are
    ignored.
    """
    kind = headers.get(CONTENT_TYPE, "")
    if is_envelope(kind):
        return {}
    found: dict[str, object] = {
        name.removeprefix(CE): unquote(value.strip())
        for name, value in headers.items()
        if name.startswith(CE)
    }
    if found and kind:
        found["datacontenttype"] = kind
    return found


def is_envelope(kind: str) -> bool:
    """Return whether a body of this content type contains whole CloudEvents."""
    return kind.strip().lower().startswith(_ENVELOPE)


_ENDS: Mapping[str, Action] = {
    "resolved": "resolve",
    "resolve": "resolve",
    "recovered": "resolve",
    "recovery": "resolve",
    "cleared": "resolve",
    "closed": "resolve",
    "ok": "resolve",
    "acknowledged": "acknowledge",
    "acknowledge": "acknowledge",
    "acked": "acknowledge",
}
"""The action by the last word of a type; any other word is a trigger."""
_VERSION = re.compile(r"[._-]v?[0-9]+(\.[0-9]+)*$")
_WORDS = re.compile(r"[._:/-]+")
_TEXTS: Mapping[str, Severity] = {
    "fatal": "critical",
    "critical": "critical",
    "emergency": "critical",
    "alert": "critical",
    "error": "error",
    "err": "error",
    "warn": "warning",
    "warning": "warning",
    "notice": "info",
    "info": "info",
    "information": "info",
    "informational": "info",
    "debug": "info",
    "trace": "info",
}
_NUMBERS: tuple[tuple[int, Severity], ...] = (
    (21, "critical"),
    (17, "error"),
    (13, "warning"),
    (1, "info"),
)
"""Lower bounds of the severity extension's numbers, 1 to 24 as in OpenTelemetry."""
_NUMBER = re.compile(r"[0-9]{1,2}", re.ASCII)
_NUMBER_MAX = 24


def event_id_of(event: Mapping[str, Any]) -> str:
    """Return the event id: source and id together are unique."""
    return _fitting(f"{event['source']}|{event['id']}", EVENT_ID_MAX)


def key_of(event: Mapping[str, Any]) -> str:
    """Return the dedup key: where the problem is, not what happened to it."""
    subject = event.get("subject")
    at = f"{event['source']}|{subject}" if subject else str(event["source"])
    return _fitting(at, DEDUP_KEY_MAX)


def action_of(type_: str) -> Action:
    """Return the action named by the last word of a type, ignoring its version."""
    words = _WORDS.split(_VERSION.sub("", type_.strip()).lower())
    return _ENDS.get(words[-1], "trigger")


def severity_of(event: Mapping[str, Any]) -> Severity | None:
    """Return the severity of the severity extension; the number takes precedence."""
    number = str(event.get("severitynumber") or "")
    if _NUMBER.fullmatch(number) and 1 <= int(number) <= _NUMBER_MAX:
        return next(name for least, name in _NUMBERS if int(number) >= least)
    return _TEXTS.get(str(event.get("severitytext")).strip().lower())


def title_of(event: Mapping[str, Any], data: object) -> str:
    """Return the title: what the data says, else type and subject."""
    said = data if isinstance(data, dict) else {}
    for name in ("title", "summary", "message"):
        text = said.get(name)
        if isinstance(text, str) and (line := one_line(text, TITLE_MAX)):
            return line
    subject = event.get("subject")
    whole = f"{event['type']}: {subject}" if subject else str(event["type"])
    return one_line(whole, TITLE_MAX) or "an event without a type"


def _fitting(name: str, most: int) -> str:
    if len(name) <= most:
        return name
    return f"sha256:{sha256(name.encode(errors='replace')).hexdigest()}"


BATCH_MAX = 1_000
HEADERS = (CONTENT_TYPE,)
"""Read besides the attributes' own headers, of which there may be any number."""
_ACTIONS: tuple[str, ...] = get_args(Action)
_REQUIRED = ("specversion", "id", "source", "type")
_NOT_LABELS = frozenset(
    {*_REQUIRED, "data", "data_base64", "time", "datacontenttype", "dataschema"}
)


def read(document: object, post: InboundDocument) -> list[Heard]:
    """Return a signal or a rejection for each event.

    In binary mode, with the attributes in the headers, `document` is the data.
    """
    attributes = attributes_in(post.headers)
    if attributes:
        said = {} if document is None else {"data": document}
        return [_read({**attributes, **said}, 0, post)]
    if not isinstance(document, list):
        return [_read(document, 0, post)]
    if len(document) > BATCH_MAX:
        return [Rejected(0, f"more than {BATCH_MAX} events in one batch: split it")]
    return [_read(each, n, post) for n, each in enumerate(document)]


def _read(event: object, index: int, post: InboundDocument) -> Heard:
    if not isinstance(event, dict):
        return Rejected(index, "a CloudEvent is a JSON object")
    wrong = _wrong(event)
    if wrong:
        return Rejected(index, *wrong)
    data = data_of(event)
    if isinstance(data, dict) and data.get("action") in _ACTIONS and "title" in data:
        return _native(event, data, index, post)
    fields = {
        "source": post.source,
        "event_id": event_id_of(event),
        "dedup_key": key_of(event),
        "action": action_of(event["type"]),
        "title": title_of(event, data),
        "severity": severity_of(event),
        "occurred_at": instant(event.get("time")),
        "labels": labels_of(
            {name: value for name, value in event.items() if name not in _NOT_LABELS},
            source=event["source"],
            type=event["type"],
        ),
        "details": None if data is None else details_text({"data": data}),
    }
    return signal_from(fields, index, post.received_at)


def _wrong(event: Mapping[str, Any]) -> tuple[str, tuple[str, ...]] | None:
    for name in _REQUIRED:
        if not isinstance(event.get(name), str) or not event[name].strip():
            return "a CloudEvent has this attribute, a text", (name,)
    if event["specversion"].partition(".")[0] != "1":
        return "is not a version we know: send CloudEvents 1.0", ("specversion",)
    coded = event.get("data_base64")
    if coded is not None and not isinstance(coded, str):
        return "is a text: code the bytes in base64", ("data_base64",)
    if coded is not None and event.get("data") is not None:
        return "there is `data` as well: send one of them", ("data_base64",)
    return None


def _native(
    event: Mapping[str, Any], data: Mapping[str, Any], index: int, post: InboundDocument
) -> Heard:
    """Return the native event in the data, completed from the attributes."""
    told = {
        "dedup_key": key_of(event) if event.get("subject") else None,
        "occurred_at": instant(event.get("time")),
        "severity": severity_of(event),
        "source": event["source"],
    }
    said = {name: value for name, value in data.items() if value is not None}
    whole = {**told, **said, "event_id": event_id_of(event)}
    (heard,) = read_native(whole, post)
    if isinstance(heard, Rejected):
        return Rejected(index, heard.reason, ("data", *heard.loc))
    return heard
