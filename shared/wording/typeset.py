"""Our own words as a printer would set them; never used on the words of others."""

import re

from shared.wording.reader import Language

_BEFORE = re.compile(r" ([:;!?»%])")
_AFTER = re.compile(r"« ")
_NO_BREAK = "\N{NO-BREAK SPACE}"


def typeset(text: str, language: Language) -> str:
    """Return `text` with curved apostrophes; in French, some blanks do not break."""
    curved = text.replace("'", "’")
    if language != "fr":
        return curved
    return _AFTER.sub(f"«{_NO_BREAK}", _BEFORE.sub(rf"{_NO_BREAK}\1", curved))
