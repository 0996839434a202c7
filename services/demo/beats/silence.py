"""The night of the backup: what has to report, and does not."""

from services.demo.beats.looking import z
from services.demo.beats.monitoring import beats
from services.demo.seeing import same, see
from services.demo.stage import Json, Stage
from services.demo.times import TUESDAY

BACKUP = "sauvegarde"


async def backed_up(stage: Stage) -> None:
    """The backup of the mail is done, and says so: silence counts from here on."""
    same("it had not been silent", await beats(stage, BACKUP), wanted=False)
    stands = await _stands(stage)
    same("it is expected in eight hours", stands["state"], "beating")


async def not_heard(stage: Stage) -> None:
    """Eight hours and the half hour of grace are over."""
    stands = await _stands(stage)
    same("it is silent", stands["state"], "silent")
    why = await stage.reads(
        "/v1/decisions", "nadia", dedup_key=f"heartbeat:{BACKUP}", source="heartbeat"
    )
    (told,) = why["items"]
    see("silence itself opened an incident", told["incident"], told)
    stage.name("INC-24", told["incident"])
    incident = await stage.incident("INC-24")
    same("for the mail, by its priority", incident["service"], "messagerie")
    (opened,) = await stage.events("INC-24", "incident.opened")
    happened = opened["what"]["occurred_at"]
    same("as of 07:30", happened, z("07:30", TUESDAY))


async def heard_again(stage: Stage) -> None:
    """It was late, and is done."""
    same("the beat ends the silence", await beats(stage, BACKUP), wanted=True)
    incident = await stage.incident("INC-24")
    same("nobody had to do anything", incident["status"], "resolved")


async def _stands(stage: Stage) -> Json:
    found: Json = await stage.reads(f"/v1/heartbeats/{BACKUP}", "nadia")
    return found
