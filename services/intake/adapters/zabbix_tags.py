"""The tags of a Zabbix event, which say what it is about: `service`, `team`, ….

`{EVENT.TAGSJSON}` is an array of `{"tag", "value"}`, mostly sent as text.
"""

from collections.abc import Mapping

import orjson

from services.intake.adapters.fields import text


def tags_of(event: Mapping[str, object]) -> dict[str, str]:
    """Return the tags as labels; none where there are none to be read."""
    said = event.get("eventtags") or event.get("tags") or event.get("eventtagsjson")
    if isinstance(said, str):
        said = _parsed(said)
    labels: dict[str, str] = {}
    for each in said if isinstance(said, list) else ():
        if isinstance(each, dict) and (name := text(each.get("tag"))):
            labels.setdefault(name, text(each.get("value")) or "")
    return labels


def _parsed(said: str) -> object:
    try:
        return orjson.loads(said)
    except orjson.JSONDecodeError:
        return None
