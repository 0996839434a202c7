"""What stands in front of a desk that others reach: deploy/Caddyfile, run by Caddy."""

import shutil
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from signal import SIGTERM

import httpx
import pytest

from tests.support.compose import ROOT
from tests.support.patience import SECONDS, until
from tests.support.ports import reserved_port
from tests.support.servers.certificates import certificate
from tests.support.servers.server import Server
from tests.support.servers.webhook_receiver import HOST, Postbox, Received, open_postbox

CADDY = shutil.which("caddy")
MEGABYTE = 1_000_000

pytestmark = [
    pytest.mark.servers,
    pytest.mark.skipif(
        CADDY is None, reason="no caddy here: apt-get install caddy (.ci/run does)"
    ),
]


@dataclass(frozen=True)
class Proxied:
    """A proxy, and what came through it."""

    client: httpx.Client
    behind: Postbox


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxied]:
    with _proxy(tmp_path_factory.mktemp("caddy")) as proxied:
        yield proxied


@contextmanager
def _proxy(folder: Path, api: str | None = None) -> Iterator[Proxied]:
    """Run the proxy; the API is what stands behind it unless it is said to be at `api`.

    Intake is what stands behind it.
    """
    file, _ = certificate(folder, HOST)
    ports = [reserved_port() for _ in range(3)]
    with open_postbox() as postbox, pytest.MonkeyPatch.context() as environment:
        environment.setenv("XDG_CONFIG_HOME", str(folder))
        environment.setenv("XDG_DATA_HOME", str(folder))
        intake = postbox.url.split("/")[2]
        config = _config(folder, ports, api or intake, intake)
        command = [str(CADDY), "run", "--config", str(config)]
        server = Server(command, None, folder / "log", SIGTERM).start()
        client = httpx.Client(
            base_url=f"https://{HOST}:{ports[0]}",
            verify=ssl.create_default_context(cafile=file),
            timeout=SECONDS,
        )
        try:
            until(lambda: _answers(client), "caddy serves")
            yield Proxied(client, postbox)
        finally:
            client.close()
            server.stop()


def _config(folder: Path, ports: list[int], api: str, its_intake: str) -> Path:
    """Write the file with this machine's names, ports and certificate in it."""
    desk, intake, plain = ports
    instead = {
        "{\n\tservers": f"{{\n\tadmin off\n\thttp_port {plain}\n\tservers",
        "# tls /etc/caddy/tls/certificate.pem /etc/caddy/tls/key.pem": (
            f"tls {folder}/certificate.pem {folder}/key.pem"
        ),
        "{$PERMANENCE_DESK_HOST}": f"https://{HOST}:{desk}",
        "{$PERMANENCE_INTAKE_HOST}": f"https://{HOST}:{intake}",
        "projections:8080": api,
        "intake:8080": its_intake,
    }
    text = (ROOT / "deploy" / "Caddyfile").read_text(encoding="utf-8")
    for theirs, ours in instead.items():
        assert theirs in text
        text = text.replace(theirs, ours)
    config = folder / "Caddyfile"
    config.write_text(text, encoding="utf-8")
    return config


def _answers(client: httpx.Client) -> bool:
    try:
        return client.get("/").status_code > 0
    except httpx.TransportError:
        return False


def heard_at(proxied: Proxied, *paths: str) -> Sequence[Received]:
    """Return the requests for these; the proxy itself asks now and then for others."""
    return [each for each in proxied.behind.requests if each.path in paths]


def test_nobody_claims_another_address_before_it(proxied: Proxied) -> None:
    claimed = {
        "X-Forwarded-For": "10.0.0.9",
        "X-Forwarded-Proto": "http",
        "X-Forwarded-Host": "other.example",
    }

    proxied.client.post("/v1/events", headers=claimed)

    heard = heard_at(proxied, "/v1/events")[-1].headers
    assert heard["x-forwarded-for"] == HOST
    assert heard["x-forwarded-proto"] == "https"
    assert "other.example" not in heard.values()


def test_endless_headers_and_bodies_stay_outside(proxied: Proxied) -> None:
    before = len(heard_at(proxied, "/v1/events", "/v1/contacts/mail", "/"))

    long = proxied.client.get("/", headers={"X-Long": "x" * 64 * 1024})
    large = proxied.client.post("/v1/events", content=b"x" * (MEGABYTE + 1))
    mail = proxied.client.post("/v1/contacts/mail", content=b"x" * (MEGABYTE + 1))

    assert long.status_code == 431
    assert mail.is_success
    assert large.is_error  # 413, or 502 if what stands behind has begun to read
    heard = heard_at(proxied, "/v1/events", "/v1/contacts/mail", "/")
    assert len(heard) <= before + 2
    assert all(
        len(each.body) <= MEGABYTE
        for each in proxied.behind.requests
        if each.path != "/v1/contacts/mail"
    )


def test_browsers_come_back_over_tls_only(proxied: Proxied) -> None:
    answer = proxied.client.get("/")

    assert answer.headers["strict-transport-security"] == "max-age=31536000"


def test_users_reach_intake_at_the_same_address_while_the_api_is_away(
    tmp_path: Path,
) -> None:
    with _proxy(tmp_path, api=f"{HOST}:{reserved_port()}") as proxied:
        until(
            lambda: proxied.client.get("/report").is_success,
            "the proxy knows that the API is away",
        )
        call = proxied.client.post("/v1/contacts", json={"words": "No mail"})
        queue = proxied.client.get("/v1/queues")

    assert (call.is_success, queue.status_code) == (True, 502)
    assert heard_at(proxied, "/v1/contacts")[-1].body == b'{"words":"No mail"}'
