"""Which of a source's own fields are fit to be labels: short ones, of one line."""

from services.intake.adapters.cutting import fitting_labels

_SHORT = 128


def labels_of(said: object, **own: object) -> dict[str, str]:
    """Return the short fields of `said`, and over them what the format itself names.

    A policy reads labels, people read details: a log excerpt is no label.
    """
    fields = said if isinstance(said, dict) else {}
    short = {str(name): value for name, value in fields.items() if _is_short(value)}
    named = {name: value for name, value in own.items() if _is_said(value)}
    return fitting_labels({**short, **named})


def _is_short(value: object) -> bool:
    if not isinstance(value, str):
        return isinstance(value, int | float) and abs(value) < 10**_SHORT
    return 0 < len(value) <= _SHORT and value.isprintable()


def _is_said(value: object) -> bool:
    return value is not None and value not in ("", [], {})
