"""Making texts fit that nobody will send again in a better form."""

import re
from collections.abc import Mapping

from services.intake.signals import LABEL_MAX, LABELS_BYTES_MAX, LABELS_MAX, labels_size

_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
_NEVER = re.compile("[\x00\ud800-\udfff]")


def one_line(text: str, most: int) -> str:
    """Return `text` as one line without control characters, of at most `most`."""
    if not text.isprintable():
        text = _NEVER.sub("\ufffd", _CONTROL.sub(" ", text))
    return _cut(text.strip(), most)


def some_lines(text: str, most: int) -> str:
    """Return `text` as people wrote it, without other control characters."""
    lines = [one_line(line, most) for line in text.splitlines()]
    return _cut("\n".join(lines).strip("\n"), most)


def fitting_labels(labels: Mapping[str, object]) -> dict[str, str]:
    """Return the labels as texts within the limits, of too many the shortest."""
    fitting = {_fit(name): _fit(value) for name, value in labels.items()}
    if len(fitting) <= LABELS_MAX and labels_size(fitting) <= LABELS_BYTES_MAX:
        return fitting
    kept: dict[str, str] = {}
    room = LABELS_BYTES_MAX
    for name in sorted(fitting, key=lambda name: (len(fitting[name]), name)):
        room -= labels_size({name: fitting[name]})
        if room < 0 or len(kept) == LABELS_MAX:
            break
        kept[name] = fitting[name]
    return kept


def _fit(value: object) -> str:
    text = value if isinstance(value, str) else str(value)
    if not text.isprintable():
        text = _NEVER.sub("\ufffd", text)
    return _cut(text, LABEL_MAX)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
