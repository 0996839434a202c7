"""Writes docs/reference/intake-openapi.json: intake's doors, each as it is described.

The doors are those of the code: one that is not described, and a description without a
door, make this fail.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from docs.generate.doors.door import Door, Schema
from docs.generate.doors.for_people import FOR_PEOPLE
from docs.generate.doors.for_providers import FOR_PROVIDERS
from docs.generate.doors.for_sources import FOR_SOURCES
from docs.generate.doors.of_others import OF_OTHERS
from docs.generate.doors.refusals import NOT_OURS, refusals
from docs.generate.doors.schemas import TEXT, components
from docs.generate.doors.security import SCHEMES
from services.intake.app import rooms
from services.intake.assembly import ALONE, GateWiring, OutsideDirectory, Parts
from services.intake.endpoint_context import EndpointContext
from services.intake.gate.gate import Gate
from shared.clock import real_clock
from shared.eventlog.continuity.check import Continuity

PAGE = Path(__file__).parents[1] / "reference" / "intake-openapi.json"
DOORS: Mapping[tuple[str, str], Door] = {
    **FOR_SOURCES,
    **OF_OTHERS,
    **FOR_PEOPLE,
    **FOR_PROVIDERS,
}
_ABOUT = (
    "The endpoints of intake: where monitoring systems report, and where people ask "
    "for the result. With `make up` at http://127.0.0.1:8081; the read API passes all "
    "of it on. A refusal is `application/problem+json` (RFC 9457), or has the form "
    "that the senders to that endpoint read."
)


class _Nothing:
    """What has every attribute, each as empty as itself."""

    continuity = Continuity()  # caches register there

    def __getattr__(self, _: str) -> "_Nothing":
        return self


def parts_of_nothing() -> Parts:
    """Return the parts of an intake that can be described, and does nothing."""
    nothing = cast("Any", _Nothing())
    gate = Gate(nothing, nothing, nothing, nothing, real_clock, ())
    doors = EndpointContext(gate, nothing, nothing, nothing, nothing)
    house = GateWiring(gate, nothing, nothing, nothing, nothing)
    first = (nothing, real_clock, ALONE, *(nothing,) * 4, doors)
    return Parts(*first, *(nothing,) * 3, house, *(nothing,) * 5, OutsideDirectory())


def taken() -> Iterator[tuple[str, str]]:
    """Yield method and path of each door, the path as OpenAPI writes it."""
    routes = rooms(parts_of_nothing()).routes
    for route in filter(lambda route: route.include_in_schema, routes):
        for method in sorted((route.methods or set()) - {"HEAD"}):
            yield method, re.sub(r":\w+}", "}", route.path)


def described() -> dict[str, Any]:
    """Return the OpenAPI document."""
    paths: dict[str, dict[str, Any]] = {}
    for method, path in dict.fromkeys(taken()):
        paths.setdefault(path, {})[method.lower()] = _operation(path, method)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Permanence, intake", "version": "1", "description": _ABOUT},
        "paths": paths,
        "components": {"schemas": components(), "securitySchemes": dict(SCHEMES)},
    }


def page() -> str:
    """Return the OpenAPI document as JSON, keys sorted."""
    return json.dumps(described(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _operation(path: str, method: str) -> dict[str, Any]:
    door = DOORS[method, path]
    names = re.findall(r"{(\w+)}", path)
    statuses = {*door.refused, 503, *((401, 403) if door.keys else ())}
    statuses |= set(NOT_OURS if names else ())
    operation = door.operation
    operation["responses"] |= refusals(door.form, statuses)
    parameters = [*(_in_path(name, door) for name in names), *door.asked]
    if parameters:
        operation["parameters"] = parameters
    return operation


def _in_path(name: str, door: Door) -> Schema:
    schema = door.path.get(name, TEXT)
    return {"in": "path", "name": name, "required": True, "schema": schema}
