"""`permanence sign-in-link`: a link that signs one person in, once."""

from datetime import datetime, timedelta
from typing import Annotated

import typer

from cli.shell.desk import HOME as HERE
from cli.shell.desk import (
    Database,
    DeskAddress,
    Home,
    Lever,
    VaultKey,
    remember,
)
from cli.shell.output import AsJson, Exit, answer, refused
from cli.shell.parameters import demand_actor
from cli.sign_in.vault_keys import sealing
from shared.database.cursors import Cursors
from shared.security.rights import grants_of
from shared.security.sender import seal_keys_of
from shared.security.sign_in_links import (
    LINK_MINUTES,
    NewLink,
    create_link,
    newest_token_of,
)
from standalone.folder import read_run

app = typer.Typer()

MINUTES_MAX = 1_440
Minutes = Annotated[
    int, typer.Option(min=1, max=MINUTES_MAX, help="How long it can be used.")
]
Url = Annotated[
    str | None,
    typer.Option(
        envvar="PERMANENCE_PUBLIC_URL",
        show_default=False,
        help="Where people open the desk; else the desk `make up` runs.",
    ),
]
_PERSON = "person:"


@app.command("sign-in-link")
def sign_in_link(  # noqa: PLR0913 # each is an option
    ctx: typer.Context,
    person: Annotated[str, typer.Argument(help="An id: nadia.")],
    *,
    minutes: Minutes = LINK_MINUTES,
    url: Url = None,
    vault_key: VaultKey = None,
    database: Database = None,
    home: Home = HERE,
    lever: Lever = None,
    as_json: AsJson = False,
) -> None:
    """Print a link that signs somebody in, once, in any browser.

    They get the rights that they were granted, otherwise those of their newest token.
    Opening the link uses it up only at the button, so previews do no harm. Exit codes:
    0 done, 2 an option is wrong, 3 the desk is not reachable.
    """
    remember(ctx, database, home, lever)
    desk: DeskAddress = ctx.obj
    actor = f"{_PERSON}{person.removeprefix(_PERSON)}"
    demand_actor(actor)
    address = _address(desk, url)
    lifetime = timedelta(minutes=minutes)
    with sealing(desk, vault_key) as (log, clock), log.transaction() as cursor:
        now = clock()
        link = NewLink(actor, "link", lifetime, _token_of(cursor, actor, now))
        secret = create_link(cursor, seal_keys_of(log), now, link)
    plain = {
        "link": f"{address}/sign-in/link/{secret}",
        "actor": actor,
        "expires_at": now + lifetime,
    }
    said = f"It signs {actor} in once, within {minutes} minutes."
    answer(plain, str(plain["link"]), said)


def _token_of(cursor: Cursors, actor: str, now: datetime) -> str | None:
    """Return the token whose rights a link gives; None if its person was granted some.

    Exits with a message if they have neither.
    """
    if grants_of(cursor, actor.removeprefix(_PERSON), now):
        return None
    token_id = newest_token_of(cursor, actor, now)
    if token_id is None:
        sentence = f"{actor} may not read anything here: give them a right or a token"
        raise refused(sentence, Exit.INVALID)
    return token_id


def _address(desk: DeskAddress, url: str | None) -> str:
    run = read_run(desk.home)
    address = url or (run.api_url if run else "")
    if not address:
        sentence = "where is the desk? Write --url https://desk.example.org"
        raise refused(sentence, Exit.INVALID)
    return address.rstrip("/")
