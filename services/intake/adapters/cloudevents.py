"""CloudEvents 1.x: structured, in a batch, and with its attributes in headers.

https://github.com/cloudevents/spec/blob/main/cloudevents/spec.md

An event has no meaning of its own to us: its type says whether something recovered, an
extension how bad it is, its source and subject which trouble it is about. One that
carries our native event is read as that. Source and id name the message.
"""

from collections.abc import Mapping
from typing import Any, get_args

from services.intake.adapters.cloud_data import data_of
from services.intake.adapters.cloud_headers import CONTENT_TYPE, attributes_in
from services.intake.adapters.cloud_meaning import (
    action_of,
    event_id_of,
    key_of,
    severity_of,
    title_of,
)
from services.intake.adapters.details import details_text
from services.intake.adapters.instants import instant
from services.intake.adapters.labelling import labels_of
from services.intake.adapters.native import read as read_native
from services.intake.adapters.post import Post
from services.intake.signals import Action, Heard, Rejected, signal_from

BATCH_MAX = 1_000
HEADERS = (CONTENT_TYPE,)
"""Beside those of its attributes, of which there may be any number."""
_ACTIONS: tuple[str, ...] = get_args(Action)
_REQUIRED = ("specversion", "id", "source", "type")
_NOT_LABELS = frozenset(
    {*_REQUIRED, "data", "data_base64", "time", "datacontenttype", "dataschema"}
)


def read(document: object, post: Post) -> list[Heard]:
    """Return a signal or a rejection for each event.

    Where the post's headers hold the attributes, `document` is the data.
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


def _read(event: object, index: int, post: Post) -> Heard:
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
    event: Mapping[str, Any], data: Mapping[str, Any], index: int, post: Post
) -> Heard:
    """Return what our own format in it says, completed by the envelope."""
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
