"""Rules for sources over NATS: which may connect, and whose signals count. Pure."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from shared.domain.policy.document import Policy
from shared.domain.policy.sources import Monitor
from shared.http.networks import Address, is_in, networks


@dataclass(frozen=True, slots=True)
class Sender:
    """The publisher of a signal: a source itself, or the shared NATS user."""

    source: str
    shared_user: bool


WhyNot = Callable[[Sender], Awaitable[str | None]]
"""Returns why a sender's signals are quarantined, or None if accepted."""


def why_no_connection(source: str, rule: object, address: Address | None) -> str | None:
    """Return why a source may not connect, or None if it may.

    `rule` is its policy entry. Networks are checked here, once; a body sent over NATS
    has no signature.
    """
    if not isinstance(rule, Monitor):
        return None
    if _is_guarded(rule) and not rule.nats:
        return _not_over_nats(source)
    if rule.allow_from and not is_in(address, networks(rule.allow_from)):
        return f"{source} may not send from {address or 'an unknown address'}"
    return None


def why_not_accepted(sender: Sender, policy: Policy, *, known: bool) -> str | None:
    """Return why a signal over NATS is quarantined, or None if it is accepted.

    `known`: the policy names the source, or it has a token.
    """
    source = sender.source
    if not known:
        return (
            f"nobody knows the source {source}: make a key with `permanence token "
            f"create --actor source:{source} --scope source`, or name it in the policy"
        )
    rule = policy.sources.get(source)
    guarded = rule if isinstance(rule, Monitor) and _is_guarded(rule) else None
    if sender.shared_user:
        if policy.desk.nats_monitor == "refused":
            return (
                "the policy refuses the NATS user `monitor`, which may name any "
                f"source: connect as `{source}`, with its key as the password"
            )
        if guarded:
            return (
                f"{source} has to sign or to send from its networks, which the NATS "
                f"user `monitor` cannot show: connect as `{source}`, or send over HTTP"
            )
        return None
    return _not_over_nats(source) if guarded and not guarded.nats else None


def _not_over_nats(source: str) -> str:
    return (
        f"{source} has to sign or to send from its networks: let it send over HTTP, or "
        "write `nats: true` in the policy"
    )


def _is_guarded(rule: Monitor) -> bool:
    return rule.signature is not None or bool(rule.allow_from)
