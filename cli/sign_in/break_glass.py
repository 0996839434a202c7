"""`permanence break-glass`: codes in sealed envelopes, for the day nothing else works.

A code signs in once, with every right, also while the identity provider and the mail
server are down. Its use is an alarm.
"""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated

import typer

from cli.shell.desk import VaultKey, desk_of, remember
from cli.shell.output import AsJson, Exit, answer, plain_text, refused
from cli.shell.parameters import demand_actor, demand_line
from cli.shell.table import Table
from cli.sign_in.vault_keys import sealing
from shared.security.break_glass import BREAK_GLASS, DAYS, EVERY_RIGHT
from shared.security.sender import seal_keys_of
from shared.security.sign_in_links import (
    Link,
    NewLink,
    create_link,
    links,
    revoke_links,
)

app = typer.Typer()
break_glass = typer.Typer(
    callback=remember,
    help="Codes for emergencies: they sign in once, with every right.\n\n"
    "Exit codes: 0 done, 2 an option is wrong, 3 the desk is not reachable.",
    no_args_is_help=True,
)
app.add_typer(break_glass, name="break-glass")


@break_glass.command()
def create(
    ctx: typer.Context,
    label: Annotated[str, typer.Option(help="Where it is kept: `safe, room 12`.")],
    person: Annotated[
        str, typer.Option(help="In whose name it signs in.")
    ] = BREAK_GLASS,
    days: Annotated[
        int, typer.Option(min=1, max=730, help="How long it can be used.")
    ] = DAYS,
    vault_key: VaultKey = None,
    as_json: AsJson = False,
) -> None:
    """Make a code and show it, this once: print it and lock it away."""
    actor = f"person:{person.removeprefix('person:')}"
    demand_actor(actor)
    demand_line("--label", label, needed=True)
    lifetime = timedelta(days=days)
    link = NewLink(actor, "break_glass", lifetime, rights=EVERY_RIGHT, label=label)
    with (
        sealing(desk_of(ctx), vault_key) as (log, clock),
        log.transaction() as cursor,
    ):
        now = clock()
        code = create_link(cursor, seal_keys_of(log), now, link)
    plain = {"code": code, "actor": actor, "expires_at": now + lifetime}
    said = "Print it and lock it away: it is not shown again, and works once."
    answer(plain, code, said)


@break_glass.command("list")
def list_(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List the codes, without their secrets, the newest first."""
    with desk_of(ctx).log_and_clock() as (log, clock), log.transaction() as cursor:
        now, found = clock(), links(cursor, "break_glass")
    rows = [
        (
            each.link_id,
            each.actor,
            each.label,
            plain_text(each.expires_at.replace(microsecond=0)),
            _state(each, now),
        )
        for each in found
    ]
    columns = ("id", "actor", "kept", "until", "state")
    table = Table(columns, rows, empty="No codes found.")
    answer([asdict(each) | {"state": _state(each, now)} for each in found], table)


@break_glass.command()
def revoke(
    ctx: typer.Context,
    code_id: Annotated[str, typer.Argument(metavar="ID", help="As in the list.")],
    as_json: AsJson = False,
) -> None:
    """Revoke a code that was not used."""
    with desk_of(ctx).log_and_clock() as (log, clock), log.transaction() as cursor:
        revoked = revoke_links(cursor, clock(), ("break_glass",), link_id=code_id)
    if not revoked:
        sentence = f"no unused code has the id {code_id}: see `break-glass list`"
        raise refused(sentence, Exit.INVALID)
    answer({"id": code_id, "revoked": True}, "Revoked.")


def _state(link: Link, now: datetime) -> str:
    if link.used_at is not None:
        return f"used {plain_text(link.used_at.replace(microsecond=0))}"
    if link.revoked_at is not None:
        return "revoked"
    return "expired" if link.expires_at <= now else "sealed"
