"""The title of what a system tells: the first of several fields that says something."""

from services.intake.adapters.cutting import one_line
from services.intake.adapters.fields import text
from shared.domain.bounded_text import TITLE_MAX


def title_of(*said: object) -> str | None:
    """Return the first text there is as one line, None where there is none."""
    lines = (one_line(text(each) or "", TITLE_MAX) for each in said)
    return next(filter(None, lines), None)
