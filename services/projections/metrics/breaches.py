"""How a broken promise is remembered: whose the breach is, and what was agreed since.

In one word, so that it is counted like any other end: `breached`, `breached.user`,
`breached.nobody.agreed`.
"""

from typing import NamedTuple

_BREACHED, _NOBODY, _AGREED = "breached", "nobody", "agreed"


class Breach(NamedTuple):
    """A breach after what was said of it."""

    party: str | None = None
    """Whose it is, by the last attribution."""
    as_agreed: bool = False
    """It was done within what a user agreed to after the breach."""

    def word(self) -> str:
        """Return it as it is remembered."""
        if self == Breach():
            return _BREACHED
        rest = (_AGREED,) if self.as_agreed else ()
        return ".".join((_BREACHED, self.party or _NOBODY, *rest))


def breach_in(word: str | None) -> Breach | None:
    """Return the breach that an end tells of, None for another end."""
    what, _, rest = (word or "").partition(".")
    if what != _BREACHED:
        return None
    party, _, agreed = rest.partition(".")
    return Breach(None if party in {"", _NOBODY} else party, agreed == _AGREED)
