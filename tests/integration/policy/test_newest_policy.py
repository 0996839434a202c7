"""Who joined a team after an incident was opened helps with it all the same."""

import pytest

from services.escalation.commands import decide_command
from shared.domain.commands.escalation import Accept, Escalate, EscalationCommand
from shared.domain.identifiers import incident_ref
from shared.http.problem_details import HttpError
from shared.messaging.commands import CommandRequest
from shared.process_manager.command_subscriber import CommandHandler
from tests.support.builders.promises import FILE, local
from tests.support.desks.escalating import HelpingDesk, helping_desk
from tests.support.desks.watching import opened
from tests.support.servers.servers import Database

pytestmark = pytest.mark.servers

BEFORE, SINCE = ", chloe], manager", ", chloe, karim], manager"


def says(desk: HelpingDesk, who: str, body: EscalationCommand) -> str:
    handler = CommandHandler(desk.log, desk.worker, desk.sla.clock, decide_command)
    request = CommandRequest[EscalationCommand](
        incident=incident_ref(1), actor=who, scopes=("agent",), body=body
    )
    return handler.take(request).outcome


def test_the_policy_in_force_tells_who_is_of_the_team_now(database: Database) -> None:
    with helping_desk(database, "09:00") as desk:
        desk.sla.happens(opened(1, local("09:00")))
        desk.read()
        says(desk, "person:nadia", Escalate(team="support", reason="Theirs"))
        with pytest.raises(HttpError, match="only support, its manager"):
            says(desk, "person:karim", Accept())

        text = FILE.read_text(encoding="utf-8")
        assert BEFORE in text
        desk.sla.applies(text.replace(BEFORE, SINCE))
        desk.read()

        assert says(desk, "person:karim", Accept()) == "recorded"
