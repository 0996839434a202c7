"""From the document a source sends to signals: one module a format, each pure.

An adapter takes the parsed body and the post it came by. It returns a signal, a
rejection or what is to be ignored for each element, in order, and never raises: a bad
element does not fail its group.
"""

from collections.abc import Callable, Mapping

from services.intake.adapters import alertmanager, native
from services.intake.adapters.post import Post
from services.intake.signals import Heard

Adapter = Callable[[object, Post], list[Heard]]

ADAPTERS: Mapping[str, Adapter] = {
    "native": native.read,
    "alertmanager": alertmanager.read,
}
"""The formats there are, by the name they have in addresses and in the policy."""
