"""What else a source said, as short JSON text for people to read."""

import json

import orjson

from services.intake.signals import DETAILS_MAX

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
