"""A client for the read API of a running desk, with a person's token."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from cli.shell.local_time import shown_in
from cli.shell.output import Exit, refused
from standalone.folder import read_run

SECONDS_MAX = 30.0

ApiUrl = Annotated[
    str | None,
    typer.Option(
        "--api",
        envvar="PERMANENCE_API_URL",
        show_default=False,
        help="Address of the read API; else of the desk `make up` runs.",
    ),
]
Token = Annotated[
    str | None,
    typer.Option(
        envvar="PERMANENCE_TOKEN",
        show_default=False,
        help="Your token; else the administrator's of the desk `make up` runs.",
    ),
]


@dataclass(frozen=True, slots=True)
class Api:
    """The desk that a command is about, and the person who asks."""

    url: str | None
    token: str | None
    home: Path
    """Where the desk of this machine keeps its address and a token, if it runs."""

    def __post_init__(self) -> None:
        """Let the answers of the command be read in the zone of who asks."""
        shown_in(cache(self._zone))

    def get(self, path: str, query: Mapping[str, object] | None = None) -> Any:  # noqa: ANN401 # a JSON document
        """Return the desk's answer, or exit with its error message."""
        return self._request("GET", path, params=query)

    def text(self, path: str, query: Mapping[str, object] | None = None) -> str:
        """Return an answer that is a table, or exit with its error message."""
        found: str = self._request("GET", path, params=query)
        return found

    def post(self, path: str, body: Mapping[str, object]) -> Any:  # noqa: ANN401 # a JSON document
        """Return the desk's answer, or exit with its error message."""
        return self._request("POST", path, json=body)

    def refusal_of(self, path: str, body: Mapping[str, object]) -> str | None:
        """Send a command; return why it was not done, None if it was.

        Exits if there is no answer.
        """
        response, document = self._answer("POST", path, json=body)
        return None if response.is_success else _why(response, document)

    def delete(self, path: str) -> Any:  # noqa: ANN401 # a JSON document
        """Return the JSON that answers the end of something."""
        return self._request("DELETE", path)

    def _zone(self) -> str | None:
        """Return the zone of the person; None if the desk does not say."""
        url, headers = self._address()
        try:
            found = httpx.get(f"{url}/v1/me", headers=headers, timeout=SECONDS_MAX)
            zone = found.json().get("zone") if found.is_success else None
        except (httpx.HTTPError, ValueError):
            return None
        return str(zone) if zone else None

    def _request(self, method: str, path: str, **more: Any) -> Any:  # noqa: ANN401 # what httpx takes
        response, document = self._answer(method, path, **more)
        if response.is_success:
            return document
        is_away = response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR
        code = Exit.UNREACHABLE if is_away else Exit.INVALID
        raise refused(_why(response, document), code)

    def _answer(
        self,
        method: str,
        path: str,
        **more: Any,  # noqa: ANN401 # what httpx takes
    ) -> tuple[httpx.Response, object]:
        url, headers = self._address()
        try:
            response = httpx.request(
                method, f"{url}{path}", headers=headers, timeout=SECONDS_MAX, **more
            )
            is_table = response.headers.get("content-type", "").startswith("text/csv")
            return response, response.text if is_table else response.json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            sentence = f"{url} gives no answer ({type(error).__name__}): is it running?"
            raise refused(sentence, Exit.UNREACHABLE) from error

    def _address(self) -> tuple[str, dict[str, str]]:
        """Return the URL of the desk, and the headers that say who asks."""
        run = read_run(self.home)
        url, token = self.url, self.token
        if run and not url:  # its token must not go to another address
            url, token = run.api_url, token or run.token
        if not url or not token:
            sentence = (
                "no desk here: start one with `make up`, or name it with --api and "
                "yourself with --token"
            )
            raise refused(sentence, Exit.UNREACHABLE)
        return url, {"Authorization": f"Bearer {token}"}


def _why(response: httpx.Response, document: object) -> str:
    """Return what an answer says of a refusal, with the mistakes that it points to."""
    detail = document.get("detail") if isinstance(document, dict) else None
    errors = document.get("errors") if isinstance(document, dict) else None
    if not detail:
        return f"HTTP {response.status_code}"
    if not errors or not str(detail).endswith(": see `errors`"):
        return str(detail)
    found = [f"{each['loc'][-1]}: {each['msg']}" for each in errors if each["loc"]]
    return f"{str(detail).removesuffix('see `errors`')}{'; '.join(found)}"
