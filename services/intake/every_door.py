"""All doors for machines: our own, and those that senders of other systems know."""

from starlette.routing import Route

from services.intake import http, opsgenie_doors, pagerduty_doors
from services.intake.doors import Doors


def every_door(doors: Doors) -> list[Route]:
    """Return the routes of all doors."""
    return [
        *http.routes(doors),
        *pagerduty_doors.routes(doors),
        *opsgenie_doors.routes(doors),
    ]
