"""Digests of commands are stored: the same command has the same one in any version."""

from typing import Any

import pytest

from services.intake.commands.pending_command import PendingCommand
from shared.commands.refusals import digest_of
from shared.domain.commands.incident import Pause
from shared.domain.commands.problem import LinkProblem
from shared.domain.commands.sla import AcceptExtension
from shared.messaging.commands import CommandRequest
from shared.process_manager.command_subscriber import digest_of_request

PAUSE = "8cd6f7db398ec22c45356a7dd668347e635512e33104be7594751a7854054aec"
LINK = "22a1e08b981a444fb750446c3ea1133bacc811d8f4e1d3e1cabf1c41e6cea48a"
ANSWER = "59fdf9a267d8b62ba6ba3df07bd8559570712ef3ee36c939db823f59ec122361"
ACCEPT = "bc3d0f305de45f4e5312a9f7cf6249a610787189ccc75311232e04a1c1da1af4"
MOVE = "9937cc3c8bfa48b379847db407aca0df26781b95b1358a2c7bfd41a0916641d5"


def request(body: object, **about: str) -> CommandRequest[Any]:
    given = {**about, "actor": "person:nadia", "scopes": ("agent",), "body": body}
    return CommandRequest[Any].model_validate(given)


@pytest.mark.parametrize(
    ("command", "digest"),
    [
        (
            request(
                Pause(reason="user", question="Which till?"), incident="INC-000001"
            ),
            PAUSE,
        ),
        (request(LinkProblem(incident="INC-000001"), record="PRB-000001"), LINK),
    ],
)
def test_intake_knows_a_command_of_an_earlier_version(
    command: CommandRequest[Any], digest: str
) -> None:
    assert PendingCommand.of(command).digest.hex() == digest


@pytest.mark.parametrize(
    ("about", "digest"),
    [
        ({"incident": "INC-000001", "record": "INC-000001-E1"}, ANSWER),
        ({"incident": "INC-000001"}, ACCEPT),
    ],
)
def test_a_process_manager_does_too(about: dict[str, str], digest: str) -> None:
    command = request(AcceptExtension(channel="phone"), **about)

    assert digest_of_request(command).hex() == digest


def test_a_move_of_promises_has_the_same_digest_for_ever() -> None:
    assert digest_of("move", "summer", 2).hex() == MOVE
