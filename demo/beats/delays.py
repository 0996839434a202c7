"""Longer delays, accepted and refused; breaches attributed."""

import re
from datetime import date

from demo.beats.messages import last_mail, notifications_to, z
from demo.cast import TUESDAY, at, same, see
from demo.stage import Json, Stage

THURSDAY = date(2025, 7, 3)
WHY = "La pièce n'arrive que mercredi."


async def asked_for(stage: Stage) -> None:
    """Two promises cannot be kept: Paul asks for Thursday noon."""
    for name, person, due in (
        ("INC-19", "ndiaye", "12:30"),
        ("INC-20", "roche", "13:15"),
    ):
        answer = await stage.posts(
            "paul",
            f"/v1/incidents/{stage.ref(name)}/extensions",
            {"new_due_at": at("12:00", THURSDAY).isoformat(), "reason": WHY},
        )
        stage.name(f"{name}-E1", answer["extension"])
        mail = last_mail(stage, person, name)
        see(f"{person} reads why and until when", WHY in mail, mail)
        see("in their zone", "jeudi 3 juillet" in mail and "12:00" in mail, mail)
        promise = await stage.promise(name, "ttr")
        same("asking moves nothing", promise["due_at"], z(due, TUESDAY))


async def agreed(stage: Stage) -> None:
    """Mme Ndiaye agrees on the phone; Paul records it."""
    said = {
        "accepted_by": "ndiaye",
        "channel": "phone",
        "evidence": "Au téléphone, 15:06 : « Jeudi midi, c'est d'accord. »",
    }
    await stage.posts("paul", f"/v1/extensions/{stage.ref('INC-19-E1')}/accept", said)
    promise = await stage.promise("INC-19", "ttr")
    same("agreed: Thursday 12:00", promise["agreed_due_at"], z("12:00", THURSDAY))
    same("and due then", promise["due_at"], z("12:00", THURSDAY))
    same("the original is kept", promise["original_due_at"], z("12:30", TUESDAY))
    (extension,) = promise["extensions"]
    same(
        "agreed by her, recorded by Paul",
        (extension["answered_by"], extension["recorded_by"]),
        ("ndiaye", "person:paul"),
    )
    same(
        "she is told once",
        len(await notifications_to(stage, "INC-19", "ndiaye", "agreed")),
        1,
    )
    mail = last_mail(stage, "ndiaye", "INC-19")
    see("“you agreed”", "Vous avez accepté" in mail, mail)


async def refused(stage: Stage) -> None:
    """M. Roche refuses, by the link in the mail, without an account."""
    before = await stage.promise("INC-20", "ttr")
    mail = last_mail(stage, "roche", "INC-20")
    (link,) = re.findall(r"https?://\S+/answer/([A-Za-z0-9_-]+)", mail)
    seen = await stage.client.get(f"/answer/{link}")
    see("looking shows the question", "Je n’accepte pas" in seen.text, seen.text)
    (waiting,) = (await stage.promise("INC-20", "ttr"))["extensions"]
    same("and answers nothing", waiting["state"], "proposed")
    done = await stage.client.post(f"/answer/{link}", data={"answer": "refuse"})
    see("the button does", "Vous n’avez pas accepté" in done.text, done.text)
    await stage.settle()
    again = await stage.client.post(f"/answer/{link}", data={"answer": "accept"})
    same("once", again.status_code, 409)
    promise = await stage.promise("INC-20", "ttr")
    same("nothing moved", promise["due_at"], before["due_at"])
    same("no delay is agreed on", promise["agreed_due_at"], None)
    (extension,) = promise["extensions"]
    same(
        "the refusal is kept, in his own name",
        (extension["state"], extension["recorded_by"]),
        ("refused", "person:roche"),
    )


async def cancelled_once(stage: Stage) -> None:
    """INC-11's user cancels an appointment."""
    stage.positions["first"] = await _calls_off(stage, "Pas ce matin, désolé.")


async def cancelled_again(stage: Stage) -> None:
    """INC-11's user cancels the next appointment as well."""
    stage.positions["second"] = await _calls_off(stage, "Cet après-midi non plus.")


async def _calls_off(stage: Stage, words: str) -> int:
    answer = await stage.contact(
        "simon", "phone", "nadia", incident="INC-11", words=words
    )
    positions: list[int] = answer["positions"]
    return positions[0]


async def attributed(stage: Stage) -> None:
    """Sylvie attributes the two breaches: one to the user, one to us."""
    both = [stage.positions["first"], stage.positions["second"]]
    theirs = {
        "party": "user",
        "who": "simon",
        "reason": "deux rendez-vous annulés",
        "evidence": both,
    }
    found = await _says(stage, "INC-11", theirs)
    same("the user's, with both contacts", found["evidence"], both)
    same("ours", (await _says(stage, "INC-16", {"party": "provider"}))["by"], _SYLVIE)


_SYLVIE = "person:sylvie"


async def _says(stage: Stage, name: str, said: Json) -> Json:
    path = f"/v1/incidents/{stage.ref(name)}/sla/ttr/attribution"
    await stage.posts("sylvie", path, said)
    promise = await stage.promise(name, "ttr")
    same("the breach stays", promise["state"], "breached")
    attributed: Json = promise["attributed"]
    same("it is said whose it is", attributed["party"], said["party"])
    return attributed
