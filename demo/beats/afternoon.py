"""13:20 to 17:20: an overdue update, killed processes, breaches, a workaround."""

from demo.beats.messages import last_mail, notifications_to, z
from demo.cast import at, same, see, shown
from demo.quiescence import connect
from demo.stage import Stage

NOTE = "Réglages, Paie, Arrondi : cocher « au centime », puis relancer le calcul."
KILLED = ("sla_watcher", "sla_watcher_2", "escalation")


async def update_due(stage: Stage) -> None:
    """INC-16's user has heard nothing for two hours."""
    broken = [
        line
        for line in await stage.events("INC-16", "sla.breached")
        if line["what"]["target"] == "update"
    ]
    same("an update is due, once", len(broken), 1)
    same("since 13:20", broken[0]["what"]["breached_at"], z("13:20"))


async def informed(stage: Stage) -> None:
    """Nadia informs the users."""
    await stage.does("nadia", "INC-16", "inform", message="Le calcul est isolé.")
    kinds = [
        message["kind"]
        for message in (await stage.incident("INC-16"))["notifications"]
        if message["person"] == "garnier"
    ]
    same(
        "receipt, taken, N2, question, update: five messages, none twice",
        kinds,
        ["receipt", "taken", "escalated", "question", "update"],
    )


async def killed(stage: Stage) -> None:
    """Kill both watchers and escalation with `kill -9`."""
    await stage.desk.kill(KILLED)


async def written_meanwhile(stage: Stage) -> None:
    """A user writes; then PostgreSQL is unavailable for twenty seconds."""
    answer = await stage.tries(
        "nadia",
        "/v1/contacts",
        {
            "person": "garnier",
            "channel": "email",
            "incident": stage.ref("INC-16"),
            "words": "Avez-vous du nouveau ?",
        },
    )
    see(
        "the desk answers with watchers and escalation dead",
        answer.is_success,
        answer.text,
    )
    if not stage.desk.has_own_postgres:
        stage.notes.append("PostgreSQL is not ours to take away: that was left out")
        return
    await stage.connection.close()
    await stage.desk.without_postgres()
    body = {
        "person": "leroy",
        "channel": "email",
        "incident": stage.ref("INC-16"),
        "words": "Moi aussi.",
    }
    key = "demo-14-20"
    refused = await stage.tries("paul", "/v1/contacts", body, key=key, at_once=True)
    same("without PostgreSQL: 503", refused.status_code, 503)
    see("it says when to come again", "retry-after" in refused.headers, refused.headers)
    stage.jump(at("14:20:20"))
    await stage.desk.with_postgres(except_for=KILLED)
    stage.connection = await connect(stage.desk.owner)
    again = await stage.tries("paul", "/v1/contacts", body, key=key)
    see("sent again, it is taken", again.is_success, again.text)
    stage.notes.append("away: 503 with Retry-After, sent again, nothing lost")


async def back_up(stage: Stage) -> None:
    """At 14:55 they are back, and nothing is missing."""
    await stage.desk.start(KILLED)
    await stage.settle()
    (warned,) = [
        line
        for line in await stage.events("INC-16", "sla.warned")
        if line["what"]["target"] == "ttr"
    ]
    same("the warning is of 14:40", warned["what"]["warned_at"], z("14:40"))
    same("noticed at 14:55", warned["at"], z("14:55"))
    same(
        "Sylvie is told once",
        len(await notifications_to(stage, "INC-16", "sylvie", "manager")),
        1,
    )
    words = [c["words"] for c in (await stage.incident("INC-16"))["contacts"]]
    sent_again = 1 if stage.desk.has_own_postgres else 0
    same("what was sent again is there once", words.count("Moi aussi."), sent_again)


async def silent(stage: Stage) -> None:
    """INC-12's user did not reply: closed at 15:00, after its final message."""
    incident = await stage.incident("INC-12")
    same("INC-12 is closed", incident["status"], "closed")
    (closed,) = await stage.events("INC-12", "incident.closed")
    same("at 15:00", shown(at("15:00")), "Mon 15:00")
    same("closed then", closed["at"][:16], z("15:00")[:16])
    (final,) = await notifications_to(stage, "INC-12", "blanc", "resolved")
    same("its final message was confirmed", final["state"], "confirmed")
    mail = last_mail(stage, "blanc", "INC-12", "résolu")
    see("it said until when", "le lundi 30 juin 2025 à 15:00" in mail, mail)


async def broken(stage: Stage) -> None:
    """INC-16 breaks its TTR, with two watchers running."""
    found = [
        line
        for line in await stage.events("INC-16", "sla.breached")
        if line["what"]["target"] == "ttr"
    ]
    same("one breach", len(found), 1)
    same("at 16:10:00", found[0]["what"]["breached_at"], z("16:10"))
    incident = await stage.incident("INC-16")
    same("one hand-over, not answered yet", incident["handover"]["state"], "requested")
    see(
        "the incident stays open with the desk",
        incident["owner_team"] == "desk" and incident["status"] == "acknowledged",
        incident["status"],
    )
    service = incident["service_handover"]
    names = ("INC-3", "INC-6", "INC-16")
    same(
        "the third breach of `paie` in 30 days: the service goes with it",
        (service["service"], [each["incident"] for each in service["counted"]]),
        ("paie", [stage.ref(name) for name in names]),
    )
    same("it waits for an answer, too", service["state"], "requested")
    mail = last_mail(stage, "helene", "INC-16")
    see("Hélène has it", stage.ref("INC-16") in mail, mail)
    notices = await notifications_to(stage, "INC-16", "helene", "service_handover")
    same("and is told of the service, once", len(notices), 1)


async def handed_over(stage: Stage) -> None:
    """Hélène accepts."""
    ref = stage.ref("INC-16")
    await stage.posts(
        "helene", f"/v1/handovers/{ref}/accept", {"title": "Arrondis de la paie"}
    )
    handover = (await stage.incident("INC-16"))["handover"]
    same("accepted", handover["state"], "accepted")
    stage.name("PRB-2", handover["problem"])
    service = (await stage.incident("INC-16"))["service_handover"]
    same(
        "the service joins PRB-2",
        (service["state"], service["problem"]),
        ("joined", stage.ref("PRB-2")),
    )
    asked = await stage.events("INC-16", "handover.service_requested")
    same("it was handed over once", len(asked), 1)
    problem = await stage.reads(f"/v1/problems/{stage.ref('PRB-2')}")
    same("PRB-2 says so", [each["service"] for each in problem["services"]], ["paie"])


async def declined_breach(stage: Stage) -> None:
    """INC-11 breaks its TTR: its user cancelled two appointments."""
    promise = await stage.promise("INC-11", "ttr")
    same("breached at 16:30", promise["breached_at"], z("16:30"))


async def declined(stage: Stage) -> None:
    """Hélène declines it, with the reason; the breach stays."""
    ref = stage.ref("INC-11")
    reason = "l'utilisateur a annulé deux rendez-vous"
    await stage.posts("helene", f"/v1/handovers/{ref}/decline", {"reason": reason})
    handover = (await stage.incident("INC-11"))["handover"]
    same("declined", handover["state"], "declined")
    same(
        "the breach stays", (await stage.promise("INC-11", "ttr"))["state"], "breached"
    )


async def workaround(stage: Stage) -> None:
    """A workaround is published for the problem."""
    await stage.posts(
        "helene",
        f"/v1/problems/{stage.ref('PRB-2')}/workaround",
        {"text": "Relancer le calcul avec l'arrondi de mai."},
    )
    for person in ("garnier", "leroy"):
        notices = await notifications_to(stage, "INC-16", person, "problem_workaround")
        same(f"{person} hears of it once", len(notices), 1)


async def solved(stage: Stage) -> None:
    """INC-16 is resolved, half an hour late."""
    words = {"note": "Arrondi corrigé, voir note.", "solution_note": NOTE}
    await stage.does("chloe", "INC-16", "resolve", **words)
    promise = await stage.promise("INC-16", "ttr")
    same(
        "390 minutes, 30 over",
        (promise["elapsed_seconds"], promise["overrun_seconds"]),
        (390 * 60, 30 * 60),
    )
    path = f"/v1/incidents/{stage.ref('INC-16')}/sla/explain"
    (explained,) = (await stage.reads(path, target="ttr"))["items"]
    consumed = explained["consumed"]
    same(
        "N1 20 and N2 370 minutes",
        {each["level"]: each["seconds"] // 60 for each in consumed["levels"]},
        {"n1": 20, "n2": 370},
    )
    same(
        "an hour was the user's, and did not count",
        [(each["party"], each["passed_seconds"] // 60) for each in consumed["parties"]],
        [("user", 60), ("vendor", 0), ("provider", 390)],
    )


async def portal_resolved(stage: Stage) -> None:
    """INC-13 is resolved; its bug goes to development as a change."""
    await stage.does("amina", "INC-13", "resolve", note="Second site en service.")
    change = await stage.posts(
        "helene",
        "/v1/changes",
        {
            "title": "Bascule automatique du portail",
            "team": "etudes",
            "incident": stage.ref("INC-13"),
            "problem": stage.ref("PRB-1"),
        },
    )
    stage.name("CHG-2", change["record"])


async def change_requested(stage: Stage) -> None:
    """A change for payroll is requested."""
    change = await stage.posts(
        "helene",
        "/v1/changes",
        {
            "title": "Paie 4.2",
            "team": "etudes",
            "problem": stage.ref("PRB-2"),
            "incident": stage.ref("INC-16"),
        },
    )
    stage.name("CHG-1", change["record"])


async def change_planned(stage: Stage) -> None:
    """The change is planned."""
    await stage.posts(
        "helene",
        f"/v1/changes/{stage.ref('CHG-1')}/plan",
        {"planned_for": at("17:20").replace(day=30).isoformat()},
    )
