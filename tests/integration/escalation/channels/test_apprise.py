"""The long tail by Apprise, under a guard that keeps it out of the desk's network."""

import asyncio
import json
import os
import socket
import subprocess
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from services.escalation.notifications.channels.apprise import (
    MISSING,
    NO_ANSWER,
    NO_SERVICE,
    NOT_ACCEPTED,
    Apprise,
    apprise_channel,
)
from services.escalation.notifications.channels.http_call import INNER
from services.escalation.notifications.channels.retry import Delivered, Failed, Outcome
from shared.http.networks import LOOPBACK
from shared.http.outbound_audit import Guard, Refused, under
from tests.support.builders.on_call.parcels import (
    ACCEPT,
    AT,
    INCIDENT,
    PAGE,
    sent,
    to_contact,
)
from tests.support.patience import SECONDS
from tests.support.servers.webhook_receiver import Postbox, Reply, open_postbox


def notified(to: str, networks: str = "") -> Outcome:
    settings = {"apprise": "true", "outbound_networks": networks}
    return sent(apprise_channel, to_contact("apprise", to), settings)


def url_of(postbox: Postbox, scheme: str = "json") -> str:
    return postbox.url.replace("http", scheme, 1)


def test_a_service_that_an_operator_allows_is_notified() -> None:
    with open_postbox() as postbox:
        outcome = notified(url_of(postbox), "127.0.0.0/8")

    assert outcome == Delivered("accepted")
    (request,) = postbox.requests
    told = json.loads(request.body)
    assert told["title"] == INCIDENT
    assert told["message"].startswith(PAGE.summary)
    assert ACCEPT in told["message"]


def test_an_inner_address_is_not_called() -> None:
    with open_postbox() as postbox:
        for scheme in ("json", "form", "ntfy"):
            url = url_of(postbox, scheme)
            assert notified(url) == Failed(INNER, permanent=True)
            assert notified(url.replace("127.0.0.1", "localhost")) == Failed(
                INNER, permanent=True
            )

    assert postbox.requests == []


def test_a_redirect_of_a_service_leads_nowhere_inside() -> None:
    with open_postbox() as postbox:
        elsewhere = {"location": "http://127.0.0.2:9/"}
        postbox.replies["/hook"] = Reply(b"", 307, elsewhere)
        outcome = notified(url_of(postbox), "127.0.0.1")

    assert outcome == Failed(INNER, permanent=True)


@pytest.mark.parametrize(
    "to",
    [
        "",
        "amina",
        "nope://x",
        "syslog://",
        "rsyslog://9.9.9.9",
        "irc://9.9.9.9/#room",
        "mqtt://9.9.9.9/topic",
        "json://" + "x" * 3_000,
    ],
)
def test_what_is_no_service_over_http_is_refused(to: str) -> None:
    assert notified(to, "127.0.0.0/8") == Failed(NO_SERVICE, permanent=True)


def test_a_service_that_refuses_may_accept_later() -> None:
    with open_postbox() as postbox:
        postbox.status = 500
        outcome = notified(url_of(postbox), "127.0.0.0/8")

    assert outcome == Failed(NOT_ACCEPTED, permanent=False)


class Dripping:
    """A service that sends a byte of its answer now and then, and never all."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.left = threading.Event()
        """Set once the client has closed its connection."""
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    @property
    def url(self) -> str:
        """Its address for Apprise; it asks to be waited for."""
        return f"json://127.0.0.1:{self._listener.getsockname()[1]}/?rto=1000"

    def _serve(self) -> None:
        line, _ = self._listener.accept()
        with line:
            line.recv(65_536)
            line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            line.settimeout(0.01)
            with suppress(OSError):
                while self._is_there(line):
                    line.sendall(b".")
        self.left.set()

    def _is_there(self, line: socket.socket) -> bool:
        try:
            return line.recv(1) != b""
        except TimeoutError:
            return True

    def close(self) -> None:
        """Stop listening."""
        self._listener.close()
        self._thread.join(SECONDS)


def test_a_service_that_never_ends_its_answer_does_not_keep_the_thread() -> None:
    with (
        closing(Dripping()) as slow,
        open_postbox() as postbox,
        ThreadPoolExecutor(1) as one,
    ):

        async def both() -> list[Outcome]:
            channel = Apprise(one, True, LOOPBACK, seconds=3.0)
            first = await channel.send(to_contact("apprise", slow.url), AT)
            patient = replace(channel, seconds=SECONDS)
            second = to_contact("apprise", url_of(postbox))
            return [first, await patient.send(second, AT)]

        outcomes = asyncio.run(both())
        assert slow.left.wait(SECONDS)

    assert outcomes == [Failed(NO_ANSWER, permanent=False), Delivered("accepted")]


def test_without_leave_of_the_operator_it_is_closed() -> None:
    outcome = sent(apprise_channel, to_contact("apprise", "json://a.example"), {})

    assert outcome == Failed(MISSING, permanent=True)


def _connects() -> None:
    with socket.socket() as line:
        line.connect(("127.0.0.1", 9))


def _connects_to_a_file() -> None:
    with socket.socket(socket.AF_UNIX) as line:
        line.connect("/run/postgresql/.s.PGSQL.5432")


def _listens() -> None:
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))


@pytest.mark.parametrize(
    "act",
    [
        _connects,
        _connects_to_a_file,
        _listens,
        lambda: subprocess.run(["/bin/true"], check=False),
        lambda: os.system("true"),  # noqa: S605 # it must not run
        lambda: Path("/etc/passwd").read_text(encoding="utf-8"),
        lambda: Path("/usr/../etc/passwd").read_bytes(),
    ],
)
def test_under_the_guard_a_library_can_do_no_harm(act: Callable[[], object]) -> None:
    with under(Guard()) as guard, pytest.raises(Refused):
        act()

    assert len(guard.refused) == 1


def test_what_the_operator_allows_is_let_through_and_the_guard_ends() -> None:
    with under(Guard(LOOPBACK)) as guard, pytest.raises(ConnectionRefusedError):
        _connects()
    with pytest.raises(ConnectionRefusedError):
        _connects()

    assert guard.refused == []
