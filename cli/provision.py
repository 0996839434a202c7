"""`permanence provision`: creates or corrects the streams and consumer of JetStream.

Intake does it automatically whenever its relay starts; this command is for desks whose
intake user may not. Exit codes: 0 done, 2 an option is wrong, 3 NATS is not reachable
or refuses.
"""

import asyncio
from typing import Annotated

import typer
from nats.errors import Error

from cli.shell.desk import HOME, Home
from cli.shell.output import AsJson, Exit, answer, refused
from shared.messaging.connection import nats_session
from shared.messaging.streams import Refused, demand_payload, provision, replicas_of
from shared.observability.telemetry import reason as in_short
from standalone.folder import read_run


def _checked(replicas: int | None) -> int | None:
    try:
        return replicas_of(replicas)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


app = typer.Typer()
Url = Annotated[
    str | None,
    typer.Option(
        "--nats", envvar="NATS_URL", help="NATS, as a user who may change streams."
    ),
]
Replicas = Annotated[
    int | None,
    typer.Option(
        envvar="PERMANENCE_NATS_REPLICAS",
        help="Copies in a cluster: 1, 3 or 5. Left out, new streams get one copy, and "
        "others stay as they are.",
        callback=_checked,
    ),
]


@app.command("provision")
def provision_command(
    url: Url = None,
    home: Home = HOME,
    replicas: Replicas = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Create or correct the streams and the consumer in JetStream.

    Exit codes: 0 done, 2 an option is wrong, 3 NATS is not reachable or refuses.
    """
    run = read_run(home)
    address = url or (run and run.nats_url)
    if not address:
        sentence = "no desk here: start one with `make up`, or set NATS_URL"
        raise refused(sentence, Exit.UNREACHABLE)
    try:
        done = asyncio.run(_provision(address, replicas))
    except Refused as error:
        raise refused(str(error), Exit.UNREACHABLE) from error
    except (Error, OSError, TimeoutError, ValueError) as error:
        why = in_short(error)
        sentence = f"NATS is not reachable or refuses ({why}): is NATS_URL right?"
        raise refused(sentence, Exit.UNREACHABLE) from error
    answer({"done": done}, *(done or ["All is as it should be."]))


async def _provision(url: str, replicas: int | None) -> list[str]:
    async with nats_session(url) as client:
        demand_payload(client)
        return await provision(client.jetstream(), replicas)
