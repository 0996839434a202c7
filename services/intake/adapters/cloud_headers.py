"""The attributes of a CloudEvent that stand in the headers of its post."""

from collections.abc import Mapping
from urllib.parse import unquote

CE = "ce-"
CONTENT_TYPE = "content-type"
_ENVELOPE = "application/cloudevents"


def attributes_in(headers: Mapping[str, str]) -> dict[str, object]:
    """Return the attributes, percent-decoded; none where the body holds them.

    A body of a CloudEvents content type says all itself, whatever headers say.
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
    """Tell whether a body of this content type holds whole CloudEvents."""
    return kind.strip().lower().startswith(_ENVELOPE)
