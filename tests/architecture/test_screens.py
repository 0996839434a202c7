"""Every page of the desk is looked at: none is added that nobody decided about."""

from collections.abc import Mapping

from starlette.routing import BaseRoute, Match, Route

from services.projections.api.intake import form
from services.projections.web import endpoints as web
from tests.e2e.browser.screens import SCREENS

LOOKED_AT_BY_NOBODY: Mapping[str, str] = {
    "/find/people": "proposals beneath a field, in the pages that ask for them",
    "/queue/bulk": "the screens of bulk begin in a queue, and lead there",
    "/people/review.csv": "a download",
    "/figures/rows": "a download",
    "/audit/kinds/{kind}/rows": "a download",
    "/audit/sample/rows": "a download",
    "/load/rows": "a download",
    "/queue/rows": "a download",
    "/surveys/{survey}/rows": "a download",
    "/month-reports/{client}/{month}/rows": "a download",
    "/assets/{name}": "style sheets and scripts",
    "/incidents/{ref}/files/{attachment}": "a download",
    "/incidents/{ref}/files/{attachment}/preview": "an image",
    "/sign-in": "leads to the page that asks for a token",
    "/incidents/{ref}/review/document.md": "a file",
    "/sign-in/provider": "leads to the identity provider",
    "/sign-in/provider/back": "leads to a page, or to a sign-in page that says why not",
}
"""The addresses that the list does not have, each with the reason."""


def _shown() -> list[Route]:
    routes: list[BaseRoute] = [
        *web.router.routes,
        *web.PAGES,
        *web.OPEN_PAGES,
        *form.router.routes,
    ]
    return [
        each
        for each in routes
        if isinstance(each, Route)
        and "GET" in (each.methods or ())
        and not each.path.startswith("/v1/")
    ]


def _route_of(path: str) -> str | None:
    """Return the route that answers the address of a screen."""
    plain = path.partition("?")[0].replace("{", "").replace("}", "")
    asked = {"type": "http", "method": "GET", "path": plain}
    found = (each.path for each in _shown() if each.matches(asked)[0] is Match.FULL)
    return next(found, None)


def test_every_page_is_looked_at_by_the_tests_of_the_screens() -> None:
    looked_at = {_route_of(screen.path) for screen in SCREENS}
    routes = {each.path for each in _shown()}

    assert routes - looked_at - LOOKED_AT_BY_NOBODY.keys() == set(), (
        "list it in tests/e2e/browser/screens.py, or say here why nobody looks at it"
    )
    assert LOOKED_AT_BY_NOBODY.keys() <= routes
    assert None not in looked_at


def test_every_screen_has_a_name_of_its_own() -> None:
    names = [screen.name for screen in SCREENS]

    assert len(names) == len(set(names))
