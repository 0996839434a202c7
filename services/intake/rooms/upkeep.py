"""The room of what nobody asks for: what intake does by itself as time goes by."""

import asyncio

from services.intake.anonymous_answers.worker import AnonymousAnswers
from services.intake.assembly import Parts
from services.intake.client_surveys.worker import ClientSurveys
from services.intake.log_follower import log_follower
from services.intake.partitions import keep_partitions
from services.intake.reviews.worker import ReviewWarnings
from services.intake.room import Room
from services.intake.survey_results.worker import SurveyWarnings


def upkeep(parts: Parts) -> Room:
    """Return what follows the log, the clock, the policy and LDAP."""
    log, clock = parts.log, parts.clock
    follower = log_follower(log, clock, parts.commands)
    from_outside = parts.outside.workers

    async def partitions(stop: asyncio.Event) -> None:
        await keep_partitions(log, clock, stop)

    return Room(
        (),
        (
            follower.run,
            parts.in_force.keep,
            *(each.run for each in from_outside),
            SurveyWarnings(log, clock).run,
            ReviewWarnings(log, clock).run,
            AnonymousAnswers(log, clock).run,
            ClientSurveys(log, clock).run,
            partitions,
        ),
        (follower.probe, *(each.probe for each in from_outside)),
    )
