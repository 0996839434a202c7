"""The accessibility statement, which every page links to: French law (RGAA) wants it.

`docs/reference/accessibility.md` says the same with the tests that show it.
"""

from datetime import date

from babel.dates import format_date
from babel.numbers import format_percent
from starlette.requests import Request
from starlette.responses import Response

from shared.web.language import keep_language, language_of
from shared.web.rendering import Pages

PLACE = "/accessibility"
ASSESSED_ON = date(2026, 11, 27)
"""The day on which the screens were last assessed against all criteria."""
CRITERIA_MET = 64
CRITERIA_APPLICABLE = 70
"""Of the 106 criteria of RGAA; the others are about what no page has, such as films."""

_OMBUDSMAN = "https://formulaire.defenseurdesdroits.fr/"
_DELEGATES = "https://www.defenseurdesdroits.fr/saisir/delegues"


def statement(pages: Pages, request: Request) -> Response:
    """Show the statement."""
    language = language_of(request)
    shown = pages.page(
        "accessibility.html",
        language,
        assessed_on=format_date(ASSESSED_ON, "long", locale=language),
        met=CRITERIA_MET,
        applicable=CRITERIA_APPLICABLE,
        share=format_percent(CRITERIA_MET / CRITERIA_APPLICABLE, locale=language),
        ombudsman=_OMBUDSMAN,
        delegates=_DELEGATES,
        place=PLACE,
    )
    keep_language(request, shown)
    return shown
