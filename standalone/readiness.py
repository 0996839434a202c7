"""Waits until a service answers that it is ready."""

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from time import monotonic
from types import MappingProxyType
from typing import NamedTuple

import psutil

from standalone.ports import HOST
from standalone.startup_error import StartupError

_LOOK_EVERY = 0.1
_WORKING = 1 / 12
"""The share of a core from which on a service that does not answer is busy starting."""
_TELL_EVERY = 5.0
_OK = 200
CONTINUITY = "continuity"
"""The check that fails after a restore, until `permanence restored` was run."""
_BODY_MAX = 65_536
_WORDS_MAX = 500


class Build(NamedTuple):
    """How far tables are built; a greater one is further."""

    step: float
    done: float
    moves: float
    words: str


class Answer(NamedTuple):
    """What a service reports about itself, in words; status 0 if it does not answer."""

    status: int
    words: str
    behind: Mapping[str, int]
    """How many events each of its readers still has to read."""
    waits_for: str = ""
    """What a person has to do before the service can be ready."""
    alarms: Mapping[str, str] = MappingProxyType({})
    """What a person has to do something about, by part, while the service works."""
    builds: Mapping[str, Build] = MappingProxyType({})
    """How far the tables of each of its readers are built, before it can read."""
    unwitnessed: bool = False
    """Whether nothing outside the database had seen the log when the service began."""


_NONE = Build(-1, 0, 0, "")


async def wait_until_ready(
    name: str,
    port: int,
    pid: Callable[[], int | None],
    trying: Callable[[], bool],
    patience: float = 60,
    tell: Callable[[str], object] = lambda _: None,
) -> Answer:
    """Return once `GET /health/ready` answers 200, and it is our process that answers.

    Returns that answer. A service that waits for a person counts as started. `tell` is
    given a line every few seconds about what is built meanwhile.
    StartupError: the process is no longer `trying`, or for `patience` seconds it made
    no progress. Its readers do: after an upgrade it may have to read the whole log, or
    to build its tables from it. While it does not answer, CPU time is progress, up to
    `patience` seconds of it: services that start together take minutes of a busy
    machine. Who waits for something takes little of it.
    """
    deadline, tell_at = monotonic() + patience, monotonic()
    answer, cpu_counted = Answer(0, "", {}), 0.0
    least: dict[str, int] = {}
    built: dict[str, Build] = {}
    while trying() and monotonic() < deadline:
        answer = await asyncio.to_thread(ask_ready, port)
        if (answer.status == _OK or answer.waits_for) and listens(pid(), port):
            return answer
        nearer = {k: n for k, n in answer.behind.items() if n < least.get(k, n + 1)}
        further = {
            k: n for k, n in answer.builds.items() if n[:3] > built.get(k, _NONE)[:3]
        }
        cpu = 0.0 if answer.status else min(cpu_seconds(pid()), patience)
        if nearer or further or cpu >= cpu_counted + _WORKING * patience:
            least |= nearer
            built |= further
            cpu_counted = max(cpu_counted, cpu)
            deadline = monotonic() + patience
        if further and monotonic() >= tell_at:
            tell_at = monotonic() + _TELL_EVERY
            for model, build in sorted(answer.builds.items()):
                tell(f"builds {model}: {build.words}")
        await asyncio.sleep(_LOOK_EVERY)
    last = f" It last answered: {answer.words}" if answer.words else ""
    raise StartupError(f"{name} did not become ready; its lines above say why.{last}")


def listens(pid: int | None, port: int) -> bool:
    """Tell whether the process or one of its children listens on `port`.

    Otherwise another desk that took the port first would be taken for ours.
    """
    if pid is None:
        return False
    try:
        process = psutil.Process(pid)
        return any(
            socket.status == psutil.CONN_LISTEN and socket.laddr.port == port
            for member in (process, *process.children(recursive=True))
            for socket in member.net_connections("inet")
        )
    except psutil.Error:  # it has just ended
        return False


def cpu_seconds(pid: int | None) -> float:
    """Return the CPU time that the process has used; 0 if there is none."""
    try:
        times = psutil.Process(pid).cpu_times() if pid else None
    except psutil.Error:  # it has just ended
        times = None
    return times.user + times.system if times else 0.0


def ask_ready(port: int) -> Answer:
    """Return what a service answers."""
    connection = HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", "/health/ready")
        response = connection.getresponse()
        body = response.read(_BODY_MAX)
        return Answer(
            response.status,
            _told(body),
            _behind(body),
            _waits_for(body),
            _alarms(body),
            _builds(body),
            _unwitnessed(body),
        )
    except (OSError, HTTPException):
        return Answer(0, "", {})
    finally:
        connection.close()


def _told(body: bytes) -> str:
    """Return a readiness report in words, or the text received instead."""
    try:
        return "; ".join(map(_check, json.loads(body)["checks"]))
    except (ValueError, KeyError, TypeError):
        return body.decode("utf-8", "replace")[:_WORDS_MAX]


def _behind(body: bytes) -> dict[str, int]:
    try:
        checks = json.loads(body)["checks"]
        return {c["name"]: int(c["lag_events"]) for c in checks if "lag_events" in c}
    except (ValueError, KeyError, TypeError):
        return {}


def _builds(body: bytes) -> dict[str, Build]:
    try:
        checks = json.loads(body)["checks"]
        return {
            c["name"]: Build(
                float(c["build_step"]),
                float(c["build_done"]),
                float(c["build_moves"]),
                str(c["why"]),
            )
            for c in checks
            if "build_step" in c
        }
    except (ValueError, KeyError, TypeError):
        return {}


def _waits_for(body: bytes) -> str:
    """Return why the log does not continue; other failures follow from it."""
    try:
        checks = json.loads(body)["checks"]
        red = (c for c in checks if c["kind"] == CONTINUITY and not c["ready"])
        return next((str(check["why"]) for check in red), "")
    except (ValueError, KeyError, TypeError):
        return ""


def _alarms(body: bytes) -> dict[str, str]:
    alarms: dict[str, str] = {}
    with suppress(ValueError, KeyError, TypeError):
        for check in json.loads(body)["checks"]:
            if "alarm" in check:  # of each reader, for example
                kind, alarm = check["kind"], str(check["alarm"])
                alarms[kind] = f"{alarms[kind]}; {alarm}" if kind in alarms else alarm
    return alarms


def _unwitnessed(body: bytes) -> bool:
    try:
        checks = json.loads(body)["checks"]
        told = (c["compared_with"] for c in checks if c["kind"] == CONTINUITY)
        return any(str(each).startswith("nothing") for each in told)
    except (ValueError, KeyError, TypeError):
        return False


def _check(check: dict[str, object]) -> str:
    words = ["ready" if check["ready"] else "not ready"]
    if "lag_events" in check:
        words.append(f"{check['lag_events']} events behind")
    if parked := check.get("parked_streams"):
        words.append(f"{parked:g} streams parked")
    if "compared_with" in check:
        words.append(f"compared with {check['compared_with']}")
    if not check["ready"] and "why" in check:
        words[0] += f" ({check['why']})"
    # A reader and timers may share a name: the kind distinguishes them.
    names = dict.fromkeys(str(check[it]) for it in ("kind", "name") if it in check)
    return f"{' '.join(names)} {', '.join(words)}"
