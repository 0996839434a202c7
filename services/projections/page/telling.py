"""What happened, in the language of who reads it."""

import re
from collections.abc import Mapping
from typing import Any

from services.projections.page.french import FRENCH, NAMES
from services.projections.page.words import Language, named
from services.projections.timeline.sentences import sentence
from shared.codec import personal_fields
from shared.events import EVENT_TYPES

_TOO_MUCH = re.compile(r" (?=\xa0[:;] )|(?<=[.!?…]\xa0»)\.$")
"""A space before a space, and a full stop after the end of what somebody said."""


def told(line: Mapping[str, Any], language: Language) -> str:
    """Return the sentence of a line of the timeline, as the API gave it.

    What has no words in `language` yet stays in English: better than not said.
    """
    kind: str = line["kind"]
    if language == "en" or kind not in FRENCH:
        english: str = line["sentence"]
        return english
    names = NAMES - personal_fields(EVENT_TYPES[kind]).keys()
    what = {
        field: named(language, value) if field in names else value
        for field, value in line["what"].items()
    }
    return _TOO_MUCH.sub("", sentence(kind, line["actor"], what, FRENCH))
