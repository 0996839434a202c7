"""From the document a source sends to signals: one module a format, each pure.

An adapter takes the source that authenticated, the parsed body, the instant it was
received and the sender's idempotency key, if any. It returns one signal or rejection
per element, in order, and never raises: a bad element does not fail its group.
"""

from collections.abc import Callable, Mapping
from datetime import datetime

from services.intake.adapters import alertmanager, native
from services.intake.signals import Rejected, Signal

Adapter = Callable[[str, object, datetime, str | None], list[Signal | Rejected]]

ADAPTERS: Mapping[str, Adapter] = {
    "native": native.read,
    "alertmanager": alertmanager.read,
}
"""The formats there are, by the name they have in addresses and in the policy."""
