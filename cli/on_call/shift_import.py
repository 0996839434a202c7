"""`permanence oncall import`: the shifts of a schedule from a file or an address."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from cli.shell.api_client import Api, ApiUrl, Token
from cli.shell.desk import desk_of
from cli.shell.output import AsJson, Exit, answer, refused
from shared.domain.icalendar_file import FILE_BYTES_MAX

_SCHEMES = ("https://", "http://", "webcal://")
_OPENING = {"would_record": "Would import", "recorded": "Imported"}

_Schedule = Annotated[str, typer.Argument(help="A schedule of the policy.")]
_Source = Annotated[str, typer.Argument(metavar="FILE|URL", help="An iCalendar file.")]
_From = Annotated[
    str, typer.Option("--from", help="A day of the schedule, or an instant.")
]
_To = Annotated[str, typer.Option("--to", help="The end, not part of it.")]
_Mapped = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        metavar="NAME=PERSON",
        help="Whom a name in the file means; `NAME=` leaves it out.",
    ),
]
_Name = Annotated[
    str, typer.Option(help="An import replaces what the last one of its name gave.")
]
_Preview = Annotated[
    bool, typer.Option("--preview", help="Only show what would change.")
]


def import_command(  # noqa: PLR0913 # an option each
    ctx: typer.Context,
    schedule: _Schedule,
    source: _Source,
    *,
    since: _From,
    until: _To,
    mapped: _Mapped = None,
    name: _Name = "calendar",
    preview: _Preview = False,
    api: ApiUrl = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Give a schedule the shifts of an iCalendar file, all of them or none.

    Who attends an event is on call, by mail address or id; without attendees, its
    summary says who. The desk fetches an address by itself, from the internet only.

    Exit codes: 0 done, 2 the file or an option is wrong, or you may not, 3 the desk is
    not reachable.
    """
    body = {
        "from": since,
        "to": until,
        "name": name,
        "people": _people(mapped or ()),
        "preview": preview,
        **_file(source),
    }
    path = f"/v1/oncall/{quote(schedule, safe='')}/calendar"
    found = Api(api, token, desk_of(ctx).home).post(path, body)
    answer(found, *_told(found))


def _people(mapped: Sequence[str]) -> Mapping[str, str | None]:
    found: dict[str, str | None] = {}
    for each in mapped:
        name, equals, person = each.rpartition("=")
        if not equals:
            raise refused(f"--map '{each}': write NAME=PERSON", Exit.INVALID)
        found[name] = person or None
    return found


def _file(source: str) -> Mapping[str, str]:
    if source.lower().startswith(_SCHEMES):
        return {"url": source}
    try:
        with Path(source).open("rb") as opened:
            read = opened.read(FILE_BYTES_MAX + 1)
        if len(read) > FILE_BYTES_MAX:
            sentence = f"{source} has more than {FILE_BYTES_MAX} bytes: export less"
            raise refused(sentence, Exit.INVALID)
        return {"text": read.decode()}
    except (OSError, UnicodeDecodeError) as error:
        sentence = f"{source} cannot be read ({type(error).__name__})"
        raise refused(sentence, Exit.INVALID) from error


def _told(found: Mapping[str, Any]) -> Sequence[str]:
    if found["outcome"] in ("already", "repeated"):
        return ["It is so already: nothing changes."]
    people = ", ".join(found["people"])
    told = [f"{_OPENING[found['outcome']]}: {found['shifts']} shifts of {people}."]
    for each in found["differences"]:
        before, after = (", ".join(each[at]) or "nobody" for at in ("before", "after"))
        told.append(f"{each['from']} to {each['to']}: {after} instead of {before}.")
    if found["left_off"]:
        told.append("And more.")
    return [*told, *(f"Consider: {each['sentence']}." for each in found["warnings"])]
