"""Keys of troubles and of messages, from what a system names them by.

A key is never refused for its length or its characters: it is told by its digest then.
"""

from hashlib import sha256

from services.intake.signals import DEDUP_KEY_MAX, EVENT_ID_MAX


def key_of(*parts: str) -> str:
    """Return the key of the trouble these parts name; other parts, another key."""
    return _fitting(_joined(parts), DEDUP_KEY_MAX)


def event_id_of(*parts: str) -> str:
    """Return the id of the message these parts name; other parts, another id."""
    return _fitting(_joined(parts), EVENT_ID_MAX)


def _joined(parts: tuple[str, ...]) -> str:
    if len(parts) == 1:
        return parts[0]
    return "/".join(part.replace("%", "%25").replace("/", "%2F") for part in parts)


def _fitting(key: str, most: int) -> str:
    if 0 < len(key) <= most and key.isprintable():
        return key
    return f"sha256:{sha256(key.encode(errors='backslashreplace')).hexdigest()}"
