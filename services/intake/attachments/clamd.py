"""Asks ClamAV's daemon about a file: the command INSTREAM of its protocol.

See https://docs.clamav.net/manual/Usage/Scanning.html#clamd. The clients on PyPI have
not been maintained for years, and the protocol is this: the file in chunks, each after
its length, then the length 0; clamd answers with one line.
"""

import asyncio
import re
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from shared.domain.events.incident_attachments import ScanVerdict

CHUNK_BYTES = 256 * 1024
SCAN_SECONDS_MAX = 120.0
"""How long clamd may take for one file."""
REPLY_BYTES_MAX = 4_096
SIGNATURE_MAX = 200
_FOUND = re.compile(r"(?:stream|instream\([^)]*\)): (.+) FOUND")
_BEYOND = ("Heuristics.Encrypted.", "Heuristics.Limits.Exceeded")
"""What clamd reports for a file it cannot look into."""


class ScannerAway(Exception):
    """clamd does not answer, or not in a way that is known; scan it again later."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The verdict on a file, and what was found in it."""

    verdict: ScanVerdict
    signature: str | None = None


async def scan(url: str, content: bytes) -> Finding:
    """Return what clamd finds in a file. Raises `ScannerAway`."""
    try:
        async with asyncio.timeout(SCAN_SECONDS_MAX):
            return finding_of(await _reply(url, content))
    except (OSError, TimeoutError, EOFError, ValueError) as error:
        raise ScannerAway(f"clamd gave no answer: {type(error).__name__}") from error


def finding_of(reply: str) -> Finding:
    """Return the finding in a line of clamd. Raises `ScannerAway`."""
    if reply.endswith("stream: OK"):
        return Finding("clean")
    if (found := _FOUND.fullmatch(reply)) is not None:
        signature = found[1][:SIGNATURE_MAX]
        is_beyond = signature.startswith(_BEYOND)
        return Finding("unscannable" if is_beyond else "infected", signature)
    if "size limit exceeded" in reply:
        return Finding("unscannable", "larger than StreamMaxLength of clamd")
    raise ScannerAway(f"clamd answered: {reply[:SIGNATURE_MAX]}")


async def _reply(url: str, content: bytes) -> str:
    loop = asyncio.get_running_loop()
    opened = await _connected(loop, url)
    with opened:
        # clamd hangs up on a file that is too large, after it has said so. A stream of
        # asyncio would drop what it said.
        with suppress(ConnectionError):
            await loop.sock_sendall(opened, b"zINSTREAM\0")
            for at in range(0, len(content), CHUNK_BYTES):
                chunk = content[at : at + CHUNK_BYTES]
                await loop.sock_sendall(opened, struct.pack(">I", len(chunk)) + chunk)
            await loop.sock_sendall(opened, struct.pack(">I", 0))
        said = b""
        while b"\0" not in said and len(said) < REPLY_BYTES_MAX:
            if not (part := await loop.sock_recv(opened, REPLY_BYTES_MAX)):
                break
            said += part
    return said.rstrip(b"\0\n").decode("utf-8", "replace")


async def _connected(loop: asyncio.AbstractEventLoop, url: str) -> socket.socket:
    parts = urlsplit(url)
    address: Any = parts.path
    family = socket.AF_UNIX
    if parts.scheme == "tcp":
        found = await loop.getaddrinfo(
            parts.hostname, parts.port, type=socket.SOCK_STREAM
        )
        family, *_, address = found[0]
    opened = socket.socket(family, socket.SOCK_STREAM)
    opened.setblocking(False)
    try:
        await loop.sock_connect(opened, address)
    except BaseException:
        opened.close()
        raise
    return opened
