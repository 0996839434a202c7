"""The services of a desk, and the environment that each of them gets."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from standalone.ports import HOST, PortRequest, demand_different, demand_free
from standalone.settings import UpSettings

ADMIN_ROLE = "desk_admin"
"""The PostgreSQL role of the command line."""
PROJECTIONS_ROLE = "desk_projections"
"""That of its commands that touch read models: their tables belong to it."""


@dataclass(frozen=True)
class Service:
    """A service as `make up` runs it.

    `role` is its PostgreSQL role, `user` its NATS user, `port` finds its HTTP port
    and `variable` names the environment variable that sets it.
    """

    name: str
    command: tuple[str, ...]
    """The arguments of the Python interpreter."""
    role: str
    user: str
    port: Callable[[UpSettings], int]
    variable: str
    reads_personal_words: bool = False
    asks_intake: bool = False
    admits_sources: bool = False
    """Whether it signs which sources may connect to NATS."""


SERVICES = (
    Service(
        "intake",
        ("-m", "services.intake"),
        "desk_intake",
        "intake",
        lambda settings: settings.intake_port,
        "PERMANENCE_INTAKE_PORT",
        reads_personal_words=True,
        admits_sources=True,
    ),
    Service(
        "projections",
        ("-m", "services.projections"),
        PROJECTIONS_ROLE,
        "projections",
        lambda settings: settings.api_port,
        "PERMANENCE_API_PORT",
        reads_personal_words=True,
        asks_intake=True,
    ),
    Service(
        "sla_watcher",
        ("-m", "services.sla_watcher"),
        "desk_sla_watcher",
        "sla_watcher",
        lambda settings: settings.sla_watcher_port,
        "PERMANENCE_SLA_WATCHER_PORT",
        reads_personal_words=True,
    ),
    Service(
        "escalation",
        ("-m", "services.escalation"),
        "desk_escalation",
        "escalation",
        lambda settings: settings.escalation_port,
        "PERMANENCE_ESCALATION_PORT",
        reads_personal_words=True,
    ),
)


def demand_ports(services: tuple[Service, ...], settings: UpSettings) -> None:
    """Raise a `StartupError` unless each service gets a port of its own."""
    wanted = [
        PortRequest(service.port(settings), service.name, service.variable)
        for service in services
    ]
    demand_different(*wanted)
    demand_free(*wanted)


def environment_of(
    service: Service,
    settings: UpSettings,
    inherited: Mapping[str, str],
    given: Mapping[str, str],
) -> dict[str, str]:
    """Return the environment of a service: ours, its own addresses, and `given`."""
    intake = {"PERMANENCE_INTAKE_URL": f"http://{HOST}:{settings.intake_port}"}
    return {
        "PERMANENCE_LOG_FORMAT": "console",
        **inherited,
        **given,
        **(intake if service.asks_intake else {}),
        "PERMANENCE_HTTP_HOST": HOST,
        "PERMANENCE_HTTP_PORT": str(service.port(settings)),
        "PYTHONUNBUFFERED": "1",
    }


def url_as(url: str, user: str, password: str) -> str:
    """Return `url` with another user and password."""
    parts = urlsplit(url)
    _, _, address = parts.netloc.rpartition("@")
    own = f"{quote(user, safe='')}:{quote(password, safe='')}@{address}"
    return parts._replace(netloc=own).geturl()
