"""One thing the doctor looked at."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """`advice` says what to do where it is not `ok`.

    `only_warns`: the desk works as it is.
    """

    name: str
    ok: bool
    sentence: str
    advice: str = ""
    only_warns: bool = False
