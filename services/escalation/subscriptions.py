"""All commands that escalation takes over NATS."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple

from shared.commands.parked_events import ParkedDesk, listen_for_parked_events
from shared.commands.subscriber import CommandSet, CommandSubscriber
from shared.domain.commands.escalation import BODIES
from shared.domain.commands.escalation_preview import (
    EscalationPreview,
    PreviewEscalation,
)
from shared.messaging.commands import CommandRequest
from shared.process_manager.command_subscriber import Do, listen, patiently
from shared.security.sender import READERS

_PREVIEWS = CommandSet(
    (PreviewEscalation,),
    EscalationPreview,
    at_once=2,  # one runs, and one waits for it
    scopes=READERS,
)


class Executors(NamedTuple):
    """The threads for commands and for sending, and the one for previews.

    A preview computes shifts of many days: nobody who takes a page waits for one.
    """

    main: ThreadPoolExecutor
    previews: ThreadPoolExecutor


class CommandTakers(NamedTuple):
    """What takes the commands about incidents, previews, and parked events."""

    casework: Do
    previews: Callable[[CommandRequest[Any]], EscalationPreview]
    parked: ParkedDesk


def subscribe(
    subscriber: CommandSubscriber, takers: CommandTakers, executors: Executors
) -> None:
    """Subscribe to every command and query of escalation."""
    listen(subscriber, takers.casework, executors.main, BODIES.values())
    preview = partial(patiently, executors.previews, takers.previews)
    subscriber.subscribe(_PREVIEWS, preview)
    listen_for_parked_events(subscriber, takers.parked, "escalation")
