"""Fits a message into one SMS: characters of the GSM alphabet, at most 160.

A single character outside that alphabet would make a message of 70 characters, and so
two or three messages of one. https://www.etsi.org/deliver/etsi_gts/03/0338/
"""

import re
import unicodedata

SMS_MAX = 160
WITH_LINK_MAX = 306
"""Two messages of 153 characters, for a text with a link."""
_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("^{}\\[~]|€")
"""Characters that take two places."""
_GUILLEMETS = re.compile(r"«\s?|\s?»")
_ALIKE = {
    "’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-",
    "…": "...", "·": "-", "\u00a0": " ", "\u202f": " ", "œ": "oe", "Œ": "OE",
}  # fmt: skip


def gsm_text(line: str, link: str = "") -> str:
    """Return a line, and a link after it, cut to what fits; the link stays whole."""
    text = "".join(map(_spelled, _GUILLEMETS.sub('"', line)))
    if not link:
        return _cut(text, SMS_MAX)
    tail = f" {link}"
    if places(tail) > WITH_LINK_MAX // 2:
        return f"{_cut(text, SMS_MAX)}{tail}"
    fits = places(text) + places(tail) <= SMS_MAX
    most = SMS_MAX if fits else WITH_LINK_MAX
    return f"{_cut(text, most - places(tail))}{tail}"


def places(text: str) -> int:
    """Return how many places a text of the GSM alphabet takes."""
    return sum(2 if each in _EXTENDED else 1 for each in text)


def _spelled(character: str) -> str:
    """Return a character in the GSM alphabet, without its accent if need be."""
    if character in _BASIC or character in _EXTENDED:
        return character
    if character in _ALIKE:
        return _ALIKE[character]
    plain = unicodedata.normalize("NFKD", character)
    return "".join(c for c in plain if c in _BASIC) or "?"


def _cut(text: str, most: int) -> str:
    """Return the beginning of a text that takes at most so many places."""
    if places(text) <= most:
        return text
    while text and places(text) > most - 3:
        text = text[:-1]
    return f"{text.rstrip()}..."
