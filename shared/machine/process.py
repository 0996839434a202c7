"""What the supervisor must know to run one program."""

from collections.abc import Mapping
from dataclasses import dataclass
from signal import SIGKILL, SIGTERM, Signals

from shared.machine.account import Account


@dataclass(frozen=True)
class Process:
    """One program: how it starts, how it stops, whom it runs as."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    account: Account | None = None
    stop: Signals = SIGTERM
    when_we_die: Signals = SIGKILL
    patience: float = 15.0
    """Seconds between `stop` and SIGKILL."""
