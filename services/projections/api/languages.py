"""In which language an answer tells what happened: as asked, else as liked best."""

import re
from typing import Annotated

from fastapi import Depends, Request

from shared.wording.reader import LANGUAGES, Language

DEFAULT: Language = "en"
_HEADER_MAX = 256
_WISH = re.compile(r"\s*([A-Za-z]{2})[\w-]*\s*(?:;\s*q=([01](?:\.\d{0,3})?))?\s*")


def liked(accepted: str) -> Language:
    """Return the language of ours that an `Accept-Language` puts first; English."""
    best: tuple[float, Language] = (0.0, DEFAULT)
    for wish in accepted[:_HEADER_MAX].split(","):
        read = _WISH.fullmatch(wish)
        for language in LANGUAGES:
            if read and read[1].lower() == language and float(read[2] or 1) > best[0]:
                best = (float(read[2] or 1), language)
    return best[1]


def _liked_here(request: Request) -> Language:
    return liked(request.headers.get("accept-language", ""))


Liked = Annotated[Language, Depends(_liked_here)]
