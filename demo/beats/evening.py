"""18:05, the night with its backup heartbeat, and Tuesday's view of Monday."""

import asyncio
import json
import os
import sys

from demo.beats.messages import beats, fires, last_mail, notifications_to, recovers, z
from demo.cast import MONDAY, TUESDAY, at, same, see
from demo.desk import POLICY
from demo.stage import Json, Stage
from services.intake.policy import store as policy_store
from services.intake.policy.store import Applied, Signature
from shared.clock import clock_from
from shared.eventlog.log import EventLog
from standalone.credentials import vault_key_file
from standalone.services import PROJECTIONS_ROLE, url_as

_TEAM = """\
  logistique: {level: n2, members: [amina, bruno, chloe], manager: sylvie, \
schedule: astreinte, escalation: entrepots}
  etudes:  {"""
_STEPS = """\
  policies:
    entrepots:
      - {after: 0m,  page: {who: on_call}}
      - {after: 10m, unless: accepted, page: {who: manager}}
  nobody_on_call:"""
_CHANGES = {
    "p2: 6h, p3: 12h": "p2: 5h, p3: 12h",
    "criticality: high,   support: [desk, support]}": (
        "criticality: high,   support: [desk, logistique]}"
    ),
    "  etudes:  {": _TEAM,
    "  nobody_on_call:": _STEPS,
}
"""What policy v2 says instead: five hours for P2, and a team for the warehouses."""


def _second_policy() -> str:
    text = POLICY.read_text(encoding="utf-8")
    for before, after in _CHANGES.items():
        same(f"policy v1 says once {before!r}", text.count(before), 1)
        text = text.replace(before, after)
    return text


async def another_policy(stage: Stage) -> None:
    """Sylvie applies policy v2: P2 within five hours, and a team for the warehouses."""
    text = _second_policy()
    signature = Signature(
        by="sylvie", reason="la mairie demande cinq heures", approved_by="sylvie"
    )
    log = EventLog.open(stage.desk.owner, clock=clock_from(stage.lever))
    try:
        applied = await asyncio.to_thread(
            policy_store.apply, log, text, signature, stage.now
        )
    finally:
        log.close()
    see(
        "policy v2 is in force",
        isinstance(applied, Applied) and applied.version == 2,  # noqa: PLR2004 v2
        applied,
    )
    await stage.settle()
    same(
        "what was promised is kept",
        (await stage.promise("INC-14", "ttr"))["due_at"],
        z("10:15", TUESDAY),
    )


async def montreal(stage: Stage) -> None:
    """Mme Tremblay writes from Montréal, where 1 July is a holiday."""
    answer = await stage.contact(
        "tremblay",
        "email",
        "nadia",
        title="Inventaire bloqué",
        words="L'inventaire ne se valide plus.",
        service="entrepots",
        impact="medium",
    )
    stage.name("INC-22", answer["incident"])
    receipt = last_mail(stage, "tremblay", "INC-22")
    see(
        "Thursday 3 July 10:30, time of Montréal",
        "jeudi 3 juillet" in receipt and "10:30" in receipt and "Montréal" in receipt,
        receipt,
    )


async def night(stage: Stage) -> None:
    """`entrepots` is down during the night."""
    ref = await fires(
        stage,
        "entrepots",
        key="entrepots",
        severity="critical",
        source="prometheus",
    )
    stage.name("INC-23", ref)
    paged = [
        who
        for who in ("amina", "bruno", "chloe", "sylvie", "nadia", "paul")
        if stage.inbox.about(who, ref)
    ]
    same("one person is woken", paged, ["bruno"])
    found = await stage.incident("INC-23")
    same("by the steps of the warehouses", found["team"], "logistique")


async def night_taken(stage: Stage) -> None:
    """Bruno acknowledges."""
    await stage.does("bruno", "INC-23", "acknowledge")


async def night_restored(stage: Stage) -> None:
    """The service is back at 03:05."""
    await recovers(stage, "entrepots", key="entrepots", source="prometheus")
    promise = await stage.promise("INC-23", "ttr")
    same("TTR, due at 06:10, is met", promise["state"], "met")
    chloe = await notifications_to(stage, "INC-23", "chloe", "page")
    same("Chloé slept", chloe, [])


async def why_not_me(stage: Stage) -> None:
    """Those who slept ask why; Sylvie asks about Amina, who sees it."""
    path = f"/v1/incidents/{stage.ref('INC-23')}/pages/why"
    night = {"at": at("03:00", TUESDAY).isoformat()}
    for who, paged in (("bruno", True), ("chloe", False), ("amina", False)):
        own = await stage.reads(path, who, person=who, lang="en", **night)
        first, *later = own["steps"]
        same("their steps are two", len(later), 1)
        reason = "on_call" if paged else "not_on_call"
        same(f"why {who}", (first["paged"], first["reason"]), (paged, reason))
        same(
            "nobody else, since Bruno accepted",
            {(each["paged"], each["reason"]) for each in later},
            {(False, "accepted")},
        )
    other = await stage.reads(path, "chloe", person="bruno", **night)
    see("of a colleague only their duty", not other["everything"], other)
    body = {"person": "amina", "reason": "la mairie demande qui était prévenu"}
    asked = await stage.posts("sylvie", path, body | night)
    same("Sylvie reads it", asked["steps"][0]["reason"], "not_on_call")
    (question,) = (await stage.reads("/v1/people/amina/page-questions", "amina"))[
        "items"
    ]
    same("Amina sees who asked", question["by"], "sylvie")


async def solved_by_note(stage: Stage) -> None:
    """A caller has wrong totals, too: N1 does what Chloé wrote down."""
    title = "Totaux faux dans la paie"
    answer = await stage.contact(
        "garnier", "phone", "nadia", title=title, words="Encore !", service="paie"
    )
    stage.name("INC-24", answer["incident"])
    note = await _note_on_payroll(stage)
    same("it is the note of INC-16", note["incident"], stage.ref("INC-16"))
    words = {"note": "Fait comme noté.", "solution": note["incident"]}
    await stage.does("nadia", "INC-24", "resolve", **words)
    same("the note was used", (await _note_on_payroll(stage))["used"], 1)


async def _note_on_payroll(stage: Stage) -> Json:
    (note,) = (await stage.reads("/v1/solutions", "nadia", service="paie"))["items"]
    return dict(note)


async def auditor(stage: Stage) -> None:
    """What was known on Monday at 09:38; all read models are rebuilt."""
    then = at("09:38", MONDAY).isoformat()
    past = await stage.incident("INC-16", at=then)
    same("at N2 then", past["level"], "n2")
    (promise,) = [p for p in past["promises"] if p["target"] == "ttr"]
    same(
        "unpaused, due at 15:10, policy v1",
        (promise["state"], promise["due_at"], promise["policy"]),
        ("running", z("15:10"), 1),
    )
    for model in ("queue", "timeline", "metrics", "words"):
        rebuilt = await _permanence(stage, "rebuild", model)
        same(f"{model} is rebuilt to the same digest", rebuilt["same"], wanted=True)
    verified = await _permanence(stage, "audit", "verify")
    same("the chain is whole", verified["ok"], wanted=True)


async def _permanence(stage: Stage, *arguments: str) -> Json:
    """Run the command line on this desk as the auditor; return its output."""
    desk = stage.desk
    environment = {
        **os.environ,
        "DATABASE_URL": desk.owner,
        "PERMANENCE_PROJECTIONS_DATABASE_URL": url_as(
            desk.owner, PROJECTIONS_ROLE, desk.credentials.roles[PROJECTIONS_ROLE]
        ),
        "PERMANENCE_VAULT_KEY_FILE": str(vault_key_file(desk.home)),
        "PERMANENCE_HOME": str(desk.home),
        "PERMANENCE_CLOCK_LEVER": str(stage.lever),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services",
        *arguments,
        "--json",
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, wrong = await process.communicate()
    output = out.decode("utf-8", "replace")
    ended = f"permanence {' '.join(arguments)} ends well: {output}{wrong.decode()}"
    same(ended, process.returncode, 0)
    document: Json = json.loads(output)
    return document


BACKUP = "sauvegarde"


async def backed_up(stage: Stage) -> None:
    """The mail backup reports that it is done: silence counts from here on."""
    same("it had not been silent", await beats(stage, BACKUP), wanted=False)
    heartbeat = await _heartbeat(stage)
    same("it is expected in eight hours", heartbeat["state"], "beating")


async def not_heard(stage: Stage) -> None:
    """Eight hours and the half hour of grace have passed without a report."""
    heartbeat = await _heartbeat(stage)
    same("it is silent", heartbeat["state"], "silent")
    why = await stage.reads(
        "/v1/decisions", "nadia", dedup_key=f"heartbeat:{BACKUP}", source="heartbeat"
    )
    (reason,) = why["items"]
    see("silence itself opened an incident", reason["incident"], reason)
    stage.name("INC-24", reason["incident"])
    incident = await stage.incident("INC-24")
    same("for the mail, by its priority", incident["service"], "messagerie")
    (opened,) = await stage.events("INC-24", "incident.opened")
    happened = opened["what"]["occurred_at"]
    same("as of 07:30", happened, z("07:30", TUESDAY))


async def heard_again(stage: Stage) -> None:
    """The backup was late, and is done."""
    same("the beat ends the silence", await beats(stage, BACKUP), wanted=True)
    incident = await stage.incident("INC-24")
    same("nobody had to do anything", incident["status"], "resolved")


async def _heartbeat(stage: Stage) -> Json:
    found: Json = await stage.reads(f"/v1/heartbeats/{BACKUP}", "nadia")
    return found
