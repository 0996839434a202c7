"""`permanence quarantine`, for letters: what people wrote and nothing came of."""

from uuid import UUID

import typer
from rich.text import Text

from shared.command_line.answers import answer, table_of
from shared.command_line.api import Api

_PATH = "/v1/letters"
PAGE_MAX = 100


def is_letter(number: str) -> bool:
    """Tell whether this is the id of a letter, not the number of a signal."""
    if number.isascii() and number.isdigit():
        return False
    try:
        UUID(number)
    except ValueError as error:
        sentence = "write a number of the list, or the id of a letter"
        raise typer.BadParameter(sentence) from error
    return True


def list_letters(api: Api, limit: int, *, as_json: bool) -> None:
    """List letters that were set aside, the newest first, and why."""
    asked = {"set_aside": True, "limit": min(limit, PAGE_MAX)}
    page = api.get(_PATH, asked, as_json=as_json)
    table = table_of("letter", "source", "received", "verdict", "sender", "reason")
    for each in page["items"]:
        facts = (each[name] for name in ("letter", "source", "received_at", "verdict"))
        said = (Text(str(each[name] or "")) for name in ("sender", "reason"))
        table.add_row(*map(str, facts), *said)
    answer(as_json, page, table if page["items"] else "nothing")


def retry_letter(api: Api, letter: str, incident: str | None, *, as_json: bool) -> None:
    """Take a letter all the same, and say its outcome."""
    body = {"incident": incident} if incident else {}
    said = api.post(f"{_PATH}/{letter}/retry", body, as_json=as_json)
    words = [said["verdict"], said["incident"] or said["note"] or ""]
    answer(as_json, said, " ".join(filter(None, words)))
