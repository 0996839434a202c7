"""The destinations of the policy: where requests that are not incidents are handed."""

from typing import Annotated

from fastapi import APIRouter, Query

from services.projections.api.answers import Answer, refusals
from services.projections.api.callers import SomeReader
from services.projections.api.desk import Desk, DeskHere
from services.projections.api.position import known
from services.projections.api.query_params import PreferredLanguage, QueryParams
from services.projections.generations import AsOf
from services.projections.log_queries import policy_in_force
from services.projections.snapshots import snapshot
from shared.i18n.catalog import Language

router = APIRouter(tags=["incidents"])


class DestinationsQuery(QueryParams):
    """In which language the names are."""

    lang: Language | None = None
    """The language of the names. Default: the first choice of `Accept-Language`."""


class DestinationView(Answer):
    """A destination, as `redirect` names it in `to`, and what users read."""

    destination: str
    name: str


class Destinations(Answer):
    """The destinations of the policy in force, in its order."""

    items: list[DestinationView]
    as_of: AsOf


@router.get("/v1/destinations", responses=refusals())
async def list_destinations(
    query: Annotated[DestinationsQuery, Query()],
    desk: DeskHere,
    _: SomeReader,
    liked: PreferredLanguage,
) -> Destinations:
    """List where a request that is not an incident can be handed."""
    return await desk.blocking(_destinations, desk, query, query.lang or liked)


def _destinations(
    desk: Desk, query: DestinationsQuery, language: Language
) -> Destinations:
    with snapshot(desk.log) as cursor:
        upto = known(cursor, None, query.min_position)
        policy = policy_in_force(desk.log, cursor)
    named = policy.destinations if policy else {}
    return Destinations(
        items=[
            DestinationView(destination=key, name=each.called(language) or key)
            for key, each in named.items()
        ],
        as_of=upto,
    )
