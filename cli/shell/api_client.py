"""A client for the read API of a running desk, with a person's token."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

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
    """The desk that the commands are about, and the person who asks."""

    url: str | None
    token: str | None
    home: Path

    def get(self, path: str, asked: Mapping[str, object], *, as_json: bool) -> Any:  # noqa: ANN401 # a JSON document
        """Return the desk's answer, or exit with its error message."""
        return self._ask("GET", path, as_json, params=asked)

    def post(self, path: str, body: Mapping[str, object], *, as_json: bool) -> Any:  # noqa: ANN401 # a JSON document
        """Return the desk's answer, or exit with its error message."""
        return self._ask("POST", path, as_json, json=body)

    def _ask(self, method: str, path: str, as_json: bool, **more: Any) -> Any:  # noqa: ANN401 # what httpx takes
        run = read_run(self.home)
        url, token = self.url, self.token
        if run and not url:  # its token must not go to another address
            url, token = run.api_url, token or run.token
        if not url or not token:
            sentence = (
                "no desk here: start one with `make up`, or name it with --api and "
                "yourself with --token"
            )
            raise refused(as_json, sentence, Exit.UNREACHABLE)
        headers = {"Authorization": f"Bearer {token}"}
        try:
            answer = httpx.request(
                method, f"{url}{path}", headers=headers, timeout=SECONDS_MAX, **more
            )
            said = answer.json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            sentence = f"{url} gives no answer ({type(error).__name__}): is it running?"
            raise refused(as_json, sentence, Exit.UNREACHABLE) from error
        if answer.is_success:
            return said
        is_away = answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR
        code = Exit.UNREACHABLE if is_away else Exit.INVALID
        detail = said.get("detail") if isinstance(said, dict) else None
        raise refused(as_json, detail or f"HTTP {answer.status_code}", code)


def api_of(ctx: typer.Context) -> Api:
    """Return the desk that the options of the group name."""
    found: Api | None = ctx.find_object(Api)
    return found or Api(None, None, Path(".permanence"))
