"""`permanence people`: the directory, and what people may do.

The directory is read and written in the database. What people may do is decided by
intake: those commands ask the read API of a running desk.
"""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from cli.directory.addresses import import_rows
from cli.on_call.contact_methods import methods
from cli.shell.api_client import Api, ApiUrl, Token
from cli.shell.desk import VaultKey, desk_of, remember, text_of
from cli.shell.output import (
    AsJson,
    Exit,
    answer,
    counted,
    plain_text,
    refused,
    refused_for,
)
from cli.shell.table import Table
from services.intake.directory import store as directory
from services.intake.directory.file import (
    COLUMNS,
    CSV_BYTES_MAX,
    Rows,
    read_csv,
    read_yaml,
)
from services.intake.people.import_plan import has_rights
from shared.domain.commands.person import IMPORT_BYTES_MAX
from shared.yaml12 import TEXT_MAX

app = typer.Typer()
people = typer.Typer(
    callback=remember,
    help="The people directory: which person each id stands for, and what they may "
    "do.\n\nExit codes: 0 done, 2 the file or an option is wrong, or you may not, "
    "3 the desk is not reachable.",
    no_args_is_help=True,
)
app.add_typer(people, name="people")
people.command()(methods)


_Limit = Annotated[
    list[str] | None,
    typer.Option(help="Only records of this one; repeat it for several."),
]
_Reason = Annotated[str | None, typer.Option(help="Why; it is kept in the log.")]
_CREDENTIALS = ("token", "session", "link")
_Id = Annotated[str, typer.Argument(metavar="ID")]


@people.command("import")
def import_(  # noqa: PLR0913 # an option each
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="People, .csv or .yaml.")],
    *,
    preview: Annotated[
        bool, typer.Option("--preview", help="Only show what would change.")
    ] = False,
    remove_missing: Annotated[
        bool,
        typer.Option(
            "--remove-missing",
            help="Remove everybody who is not in the file; refused if that is more "
            "than 10 %.",
        ),
    ] = False,
    vault_key: VaultKey = None,
    api: ApiUrl = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Add and change people and their roles.

    A change of an address is recorded in the log, with a fingerprint that takes the
    vault's master key. A file of more than 400 people is written in parts: if it fails
    in between, import it again.
    """
    rows = _rows(file)
    if remove_missing or has_rights(rows):
        body = {
            "text": text_of(file, IMPORT_BYTES_MAX),
            "format": "csv" if file.suffix.lower() == ".csv" else "yaml",
            "preview": preview,
            "remove_missing": remove_missing,
        }
        done = _api(ctx, api, token).post("/v1/people/import", body)
        answer(done, _imported(done), _counts(done, preview=preview))
        return
    plain = import_rows(desk_of(ctx), rows, vault_key, preview=preview)
    answer(plain, _counts(plain, preview=preview))


@people.command()
def sync(
    ctx: typer.Context,
    *,
    preview: Annotated[
        bool, typer.Option("--preview", help="Only show what would change.")
    ] = False,
    api: ApiUrl = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Make people and their roles what LDAP says, as intake is set up to read it."""
    body = {"preview": preview}
    done = _api(ctx, api, token).post("/v1/people/sync", body)
    rows = [
        (item["who"], item["column"] or "-", item["why"]) for item in done["left_out"]
    ]
    left_out = Table(("left out", "column", "why"), rows, empty="Nobody was left out.")
    disabled = counted(done["disabled"], "account")
    said = f"{_counts(done, preview=preview)} {disabled} disabled there."
    answer(done, _imported(done), left_out, said)


@people.command()
def grant(  # noqa: PLR0913 # an option each
    ctx: typer.Context,
    id_: _Id,
    role: Annotated[
        str, typer.Argument(help="`agent`, `manager`, `auditor`, `admin`, `client`.")
    ],
    *,
    client: _Limit = None,
    service: _Limit = None,
    team: _Limit = None,
    until: Annotated[
        datetime | None, typer.Option(help="When it ends by itself, in UTC.")
    ] = None,
    reason: _Reason = None,
    api: ApiUrl = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Give a person a role, perhaps for some clients, services or teams only."""
    named = {"clients": client, "services": service, "teams": team}
    given: dict[str, object] = {
        "role": role,
        "until": f"{until:%Y-%m-%dT%H:%M:%S}Z" if until else None,
        "reason": reason,
        **{name: names or None for name, names in named.items()},
    }
    done = _asked(ctx, (api, token), f"{id_}/grant", given)
    grants = ", ".join(done["grants"])
    said = f"Granted: {grants}." if grants else "They have it already."
    answer(done, said)


@people.command()
def invite(  # noqa: PLR0913 # an option each
    ctx: typer.Context,
    id_: _Id,
    role: Annotated[
        str, typer.Argument(help="`agent`, `manager`, `auditor`, `admin`, `client`.")
    ],
    *,
    name: Annotated[str, typer.Option(help="Their name.")],
    email: Annotated[str, typer.Option(help="Where the link is mailed.")],
    client: _Limit = None,
    service: _Limit = None,
    team: _Limit = None,
    reason: _Reason = None,
    api: ApiUrl = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Give a person a role, and mail them a link that signs them in once."""
    named = {"clients": client, "services": service, "teams": team}
    given: dict[str, object] = {
        "role": role,
        "name": name,
        "email": email,
        "reason": reason,
        **{kind: names or None for kind, names in named.items()},
    }
    done = _asked(ctx, (api, token), f"{id_}/invitation", given)
    answer(done, f"Invited: the link is mailed to {email}, and lasts a week.")


@people.command()
def invitations(
    ctx: typer.Context,
    *,
    revoke: Annotated[
        str | None, typer.Option(help="Revoke the one with this id.")
    ] = None,
    api: ApiUrl = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """List invitations, or revoke one."""
    desk = _api(ctx, api, token)
    if revoke is not None:
        answer(desk.delete(f"/v1/invitations/{revoke}"), "Revoked.")
        return
    items = desk.get("/v1/invitations", {})["items"]
    columns = ("id", "person", "invited by", "expires", "state")
    rows = [
        (
            item["id"],
            item["person"],
            item["note"],
            item["expires_at"],
            _state(item),
        )
        for item in items
    ]
    answer(items, Table(columns, rows, empty="Nobody was invited."))


@people.command()
def withdraw(  # noqa: PLR0913 # an option each
    ctx: typer.Context,
    id_: _Id,
    grant: Annotated[str, typer.Argument(help="As `people review` shows it.")],
    *,
    reason: _Reason = None,
    api: ApiUrl = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Withdraw a role from a person."""
    given = {"grant": grant, "reason": reason}
    done = _asked(ctx, (api, token), f"{id_}/withdraw", given)
    answer(done, f"Withdrawn: {grant}.")


@people.command()
def move(  # noqa: PLR0913 # an option each
    ctx: typer.Context,
    id_: _Id,
    grant: Annotated[str, typer.Argument(help="As `people review` shows it.")],
    team: Annotated[
        list[str], typer.Option(help="The new team; repeat it for several.")
    ],
    *,
    reason: _Reason = None,
    api: ApiUrl = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Move a person's role to other teams, with its other limits and its end."""
    given = {"grant": grant, "teams": team, "reason": reason}
    done = _asked(ctx, (api, token), f"{id_}/move", given)
    new = ", ".join(each for each in done["grants"] if each != grant)
    answer(done, f"Moved: {new}." if new else "It is limited to these teams already.")


@people.command()
def correct(
    ctx: typer.Context,
    id_: _Id,
    columns: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="COLUMN=TEXT", help="As in `phone=0475200009`; `phone=` clears it."
        ),
    ] = None,
    *,
    api: ApiUrl = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Correct a person's entry, and confirm who they are; without columns as it is."""
    parts = [each.partition("=") for each in columns or ()]
    for name, equals, _ in parts:
        if not equals:  # else a column would be cleared by mistake
            sentence = f"write `{name}=` and the text; without any, it clears `{name}`"
            raise refused(sentence, Exit.INVALID)
    given: dict[str, object] = {name: text or None for name, _, text in parts}
    done = _api(ctx, api, token).post(
        f"/v1/people/{quote(id_, safe='')}/correct", given
    )
    answer(done, "Corrected." if done["outcome"] == "recorded" else "It is so already.")


@people.command()
def remove(
    ctx: typer.Context,
    id_: _Id,
    *,
    reason: _Reason = None,
    api: ApiUrl = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Remove a person: roles, tokens, sessions and links end; show what they leave."""
    done = _asked(ctx, (api, token), f"{id_}/remove", {"reason": reason})
    left = done["duties"]
    rows = [
        *((row["ref"], "assigned to them", row["title"]) for row in left["assigned"]),
        *((row["ref"], "reported by them", row["title"]) for row in left["reported"]),
        *(
            (each["schedule"], "on call", f"{each['begins_at']} to {each['ends_at']}")
            for each in left["shifts"]
        ),
        *((team, "member or manager", "") for team in left["teams"]),
    ]
    table = Table(("what", "why", ""), rows, empty="They leave nothing behind.")
    ended = ", ".join(counted(done[f"{each}s"], each) for each in _CREDENTIALS)
    answer(done, f"Removed; ended: {ended}.", table)


@people.command()
def review(
    ctx: typer.Context,
    *,
    ended: Annotated[
        bool, typer.Option("--ended", help="Also what was withdrawn or is over.")
    ] = False,
    api: ApiUrl = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """List every right: who has it, who gave it, when it was last used."""
    query = {"ended": "true" if ended else "false"}
    items = _api(ctx, api, token).get("/v1/rights", query)["items"]
    columns = ("person", "right", "id", "limited to", "given by", "until", "last used")
    rows = [
        (
            item["person"],
            f"{item['kind']} {' '.join(item['roles'])}",
            item["id"],
            _limited_to(item),
            item["given_by"] or "-",
            item["until"] or "-",
            item["last_used"] or "-",
        )
        for item in items
    ]
    answer(items, Table(columns, rows, empty="Nobody has any right."))


@people.command("list")
def list_(
    ctx: typer.Context,
    client: Annotated[str | None, typer.Option(help="Only people of this one.")] = None,
    as_json: AsJson = False,
) -> None:
    """List people by id."""
    with desk_of(ctx).log() as log, log.transaction() as cursor:
        found = directory.people(cursor, client)
    rows = [[getattr(each, column) for column in COLUMNS] for each in found]
    answer(
        [asdict(each) for each in found],
        Table(COLUMNS, rows, empty="No people found."),
    )


@people.command()
def show(
    ctx: typer.Context,
    id_: Annotated[str, typer.Argument(metavar="ID")],
    as_json: AsJson = False,
) -> None:
    """Show one person."""
    with desk_of(ctx).log() as log, log.transaction() as cursor:
        found = directory.person(cursor, id_)
    if found is None:
        sentence = f"nobody has the id {id_}: look at `permanence people list`"
        raise refused(sentence, Exit.INVALID)
    plain = asdict(found)
    known = (f"{k}: {plain_text(v)}" for k, v in plain.items() if v is not None)
    answer(plain, *known)


def _rows(file: Path) -> Rows:
    match file.suffix.lower():
        case ".csv":
            rows = read_csv(text_of(file, CSV_BYTES_MAX))
        case ".yaml" | ".yml":
            rows = read_yaml(text_of(file, TEXT_MAX))
        case _:
            sentence = f"{file}: call the file .csv or .yaml, as what it is"
            raise refused(sentence, Exit.INVALID)
    if isinstance(rows, list):
        raise refused_for(str(file), rows)
    return rows


def _api(ctx: typer.Context, url: str | None, token: str | None) -> Api:
    return Api(url, token, desk_of(ctx).home)


def _asked(
    ctx: typer.Context,
    address: tuple[str | None, str | None],
    path: str,
    given: Mapping[str, object],
) -> Any:  # noqa: ANN401 # a JSON document
    body = {name: value for name, value in given.items() if value is not None}
    return _api(ctx, *address).post(f"/v1/people/{path}", body)


def _counts(done: Mapping[str, Any], *, preview: bool) -> str:
    removed = f", {done['removed']} removed" if done.get("removed") else ""
    said = (
        f"{done['added']} added, {done['changed']} changed, "
        f"{done['unchanged']} as they were{removed}."
    )
    if left := ", ".join(done.get("unreadable", ())):
        said += f" Roles left as they were, an event cannot be read: {left}."
    return f"Nothing was changed yet: {said}" if preview else said


def _imported(done: Mapping[str, Any]) -> Table:
    rows = [
        (
            item["person"],
            item["change"],
            " ".join(item["columns"]) or "-",
            _roles(item["given"]),
            _roles(item["withdrawn"]),
        )
        for item in done["items"]
    ]
    columns = ("person", "change", "columns", "given", "withdrawn")
    return Table(columns, rows, empty="Everybody is as they should be.")


def _roles(roles: list[Mapping[str, Any]]) -> str:
    return "; ".join(f"{each['role']}: {_limited_to(each)}" for each in roles) or "-"


def _limited_to(item: Mapping[str, Any]) -> str:
    named = (
        f"{kind} {', '.join(item[f'{kind}s'])}"
        for kind in ("client", "service", "team")
        if item[f"{kind}s"] is not None
    )
    return ", ".join(named) or "everything"


def _state(invitation: Mapping[str, Any]) -> str:
    if invitation["used_at"]:
        return "accepted"
    return "revoked" if invitation["revoked_at"] else "not used"
