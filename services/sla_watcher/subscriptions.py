"""All commands that the watcher takes over NATS."""

from concurrent.futures import Executor
from typing import NamedTuple

from services.sla_watcher.policy_moves.subscriber import listen_for_moves
from services.sla_watcher.policy_moves.worker import PolicyMove
from shared.commands.parked_events import ParkedDesk, listen_for_parked_events
from shared.commands.subscriber import CommandSubscriber
from shared.domain.commands.sla import BODIES
from shared.process_manager.command_subscriber import Do, listen


class CommandTakers(NamedTuple):
    """What takes the commands about targets, about moves, and about parked events."""

    casework: Do
    moves: PolicyMove
    parked: ParkedDesk


def subscribe(
    subscriber: CommandSubscriber, takers: CommandTakers, executor: Executor
) -> None:
    """Subscribe to every command and query of the watcher."""
    listen(subscriber, takers.casework, executor, BODIES.values())
    listen_for_moves(subscriber, takers.moves, executor)
    listen_for_parked_events(subscriber, takers.parked, "sla")
