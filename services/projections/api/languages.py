"""Chooses the language of an answer: the one that the client prefers."""

from typing import Annotated

from fastapi import Depends, Request

from shared.i18n.formats import Language
from shared.web.language import liked


def _liked_here(request: Request) -> Language:
    return liked(request.headers.get("accept-language", ""))


Liked = Annotated[Language, Depends(_liked_here)]
