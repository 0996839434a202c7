"""Canaille in a process of its own, and a browser that signs in there."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from urllib.parse import urljoin

import httpx
from joserfc.jwk import RSAKey

from tests.support.identity_provider.canaille_process import HOST, PASSWORD
from tests.support.patience import SECONDS, until

_STEPS_MAX = 8
_numbers = count(1)
_INPUT = re.compile(r"<input[^>]*>")


def signing_key() -> str:
    """Return a new key of the provider, with an id of its own, in JSON."""
    key = RSAKey.generate_key(2048, {"kid": f"key-{next(_numbers)}"})
    return json.dumps(key.as_dict(private=True))


@dataclass
class Provider:
    """A provider at `url`, for a desk at `desk`; it can be stopped and started."""

    port: int
    desk: str
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def url(self) -> str:
        """The address of the issuer."""
        return f"http://{HOST}:{self.port}"

    def start(self, key: str) -> None:
        """Start it with a signing key; its users are the same each time."""
        words = (str(self.port), self.desk, key)
        module = "tests.support.identity_provider.canaille_process"
        self._process = subprocess.Popen(  # our own
            [sys.executable, "-m", module, *words],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until(self._answers, "an identity provider")

    def stop(self) -> None:
        """Stop it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(SECONDS)
            self._process = None

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/oauth/jwks.json").is_success
        except httpx.TransportError:
            return False


@contextmanager
def running_provider(port: int, desk: str) -> Iterator[Provider]:
    """Run a provider for a desk."""
    provider = Provider(port, desk)
    try:
        provider.start(signing_key())
        yield provider
    finally:
        provider.stop()


def answer_for(visitor: httpx.Client, desk: str, person: str, onward: str = "/") -> str:
    """Sign in at the provider; return the address at which it leads back."""
    begun = visitor.get(f"{desk}/sign-in/provider", params={"next": onward})
    assert begun.status_code == 303, begun.text
    answer = visitor.get(begun.headers["Location"])
    for _ in range(_STEPS_MAX):
        if answer.is_redirect:
            address = urljoin(str(answer.url), answer.headers["Location"])
            if address.startswith(desk):
                return address
            answer = visitor.get(address)
        else:
            answer = visitor.post(str(answer.url), data=_filled(answer.text, person))
    raise AssertionError(answer.text)


def _filled(page: str, person: str) -> dict[str, str]:
    """Return the fields of a form of the provider, as a person fills them in."""
    form = {}
    for each in _INPUT.findall(page):
        name, value = (
            re.search(rf'{attribute}="([^"]*)"', each)
            for attribute in ("name", "value")
        )
        if name:
            form[name[1]] = value[1] if value else ""
    known = {"login": person, "password": PASSWORD}
    return {name: known.get(name, value) for name, value in form.items()}
