"""Evaluates `Authentication-Results` of the receiving mail server (RFC 8601). Pure.

The server adds the field above everything that came with the mail. So only the topmost
field counts, and only if it carries the name of our server: a sender can write the same
field below, or at the top if our server adds none. Parts of the results are chosen by
the sender, such as a signing domain with a comment in it: a field with unusual syntax
proves nothing.

See https://www.rfc-editor.org/rfc/rfc8601, and for alignment RFC 7489, section 3.1. A
chain of earlier servers (ARC, RFC 8617) is not evaluated.
"""

import re
from dataclasses import dataclass, field
from email.message import Message

from services.intake.inbound_mail.message import authors, raw

RESULTS_MAX = 100
"""Results in one field; a field with more is ignored."""
_VERSION = "1"
_DOMAIN = re.compile(
    r"(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}"
)
_METHOD = re.compile(r"\s*([a-z][a-z0-9-]*)\s*(?:/\s*[0-9]+\s*)?=\s*([a-z]+)(?=\s|$)")
_PROPERTY = re.compile(
    r"\s+([a-z][a-z0-9_-]*(?:\s*\.\s*[a-z0-9_-]+)?)\s*="
    r"\s*(\"(?:[^\"\\]|\\.)*\"|[^\s\"();]*)(?=\s|$)"
)


# Comments or quotes inside a word are rejected:
# `header.d=valmont.example(.evil.example)` would be read as a different domain than the
# one that signed.
_TOKEN = re.compile(
    r"(?P<comment>(?<![^\s;])\((?:[^()\\]|\\.|\((?:[^()\\]|\\.)*\))*\)(?=[\s;]|$))"
    r"|(?P<quoted>(?<![^\s;=])\"(?:[^\"\\]|\\.)*\"(?=[\s;]|$))"
    r"|(?P<end>;)|(?P<plain>[^()\";\\]+)",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Result:
    """One method with its result and properties, in lower case."""

    method: str
    result: str
    properties: dict[str, str] = field(default_factory=dict)

    def domain(self, name: str) -> str | None:
        """Return the domain in a property: what follows the @, if there is one."""
        written = self.properties.get(name, "").rpartition("@")[2]
        return written if _DOMAIN.fullmatch(written) else None


def is_authentic(message: Message, sender: str, authserv_id: str | None) -> bool:
    """Return whether the domain of `sender` is proven to have sent this mail.

    `authserv_id` is the name of the receiving server, or None if not configured.
    """
    domain = _sole_domain(message, sender)
    if domain is None or authserv_id is None:
        return False
    found = results(raw(message, "Authentication-Results"), authserv_id)
    policies = [one for one in found if one.method == "dmarc"]
    if policies:
        named = {(one.result, one.domain("header.from")) for one in policies}
        if named == {("pass", domain)}:
            return True
        if any(result in ("pass", "fail") for result, _ in named):
            return False
    return any(_is_aligned(one, domain) for one in found)


def results(written: str, authserv_id: str) -> list[Result]:
    """Return the results in a field of that server; empty if its syntax is unusual."""
    head, *told = _pieces(written.lower()) or [""]
    name, *version = head.split() or [""]
    ours = name.strip('"') == authserv_id.lower()
    if not ours or version not in ([], [_VERSION]) or len(told) > RESULTS_MAX:
        return []
    read = [_result(each) for each in told if each.strip()]
    sound = [each for each in read if each is not None]
    return sound if len(sound) == len(read) else []


def _is_aligned(found: Result, domain: str) -> bool:
    """Return whether a result is valid for `domain` or one of its parent domains.

    This is narrower than DMARC's relaxed alignment, which also accepts sibling domains
    and needs a list of public suffixes. A server that evaluates DMARC reports that
    itself.
    """
    match found:
        case Result("spf", "pass"):
            shown = found.domain("smtp.mailfrom")
        case Result("dkim", "pass"):
            shown = found.domain("header.d")
        case _:
            return False
    return shown is not None and (domain == shown or domain.endswith(f".{shown}"))


def _sole_domain(message: Message, sender: str) -> str | None:
    """Return the domain of `sender`, if the mail has no other author.

    With several authors, server and desk might look at different ones.
    """
    addresses = [address.lower() for _, address in authors(message)]
    domain = sender.rpartition("@")[2]
    sole = addresses == [sender] and _DOMAIN.fullmatch(domain)
    return domain if sole else None


def _result(written: str) -> Result | None:
    found = _METHOD.match(written)
    if found is None:
        return None
    properties: dict[str, str] = {}
    at = found.end()
    while (each := _PROPERTY.match(written, at)) is not None:
        name = re.sub(r"\s", "", each[1])
        if name in properties:
            return None
        properties[name] = each[2].strip('"')
        at = each.end()
    return Result(found[1], found[2], properties) if not written[at:].strip() else None


def _pieces(written: str) -> list[str]:
    """Return the parts between semicolons, without comments; empty if malformed."""
    pieces, at = [""], 0
    while at < len(written):
        found = _TOKEN.match(written, at)
        if found is None:
            return []
        at = found.end()
        match found.lastgroup:
            case "end":
                pieces.append("")
            case "comment":
                pieces[-1] += " "
            case _:
                pieces[-1] += found[0]
    return pieces
