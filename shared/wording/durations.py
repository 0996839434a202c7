"""A duration as people say it: hours, minutes and seconds, never days.

How long a day is depends on the calendar.
"""

from datetime import timedelta

from babel.lists import format_list
from babel.units import format_unit

from shared.wording.reader import Language


def duration_text(duration: timedelta, language: Language) -> str:
    """Return whole seconds in words: 90 minutes → `1 heure et 30 minutes`."""
    minutes, seconds = divmod(int(duration.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [("hour", hours), ("minute", minutes), ("second", seconds)]
    said = [
        format_unit(number, f"duration-{unit}", "long", locale=language)
        for unit, number in parts
        if number
    ]
    return format_list(said, locale=language) if said else _nothing(language)


def _nothing(language: Language) -> str:
    return format_unit(0, "duration-minute", "long", locale=language)
