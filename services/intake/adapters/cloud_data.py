"""The data of a CloudEvent, which may be bytes in base64."""

import base64
from collections.abc import Mapping
from typing import Any

import orjson

DATA_DEPTH_MAX = 24
"""How deep JSON inside base64 may nest; else it is shown as text."""


def data_of(event: Mapping[str, Any]) -> object:
    """Return the data, where `data_base64` is a text or not there.

    A text that cannot be decoded is the data as it stands: which trouble it is, and
    whether it is over, the attributes say without it.
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
    """Return bytes as JSON where they are said to be, else as text if they are text."""
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
    """Tell whether a content type is JSON; none at all counts as JSON."""
    plain = kind.partition(";")[0].strip().lower()
    return not plain or plain.endswith(("/json", "+json"))
