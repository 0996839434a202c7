"""09:10 to 12:20: payroll escalates to N2 and waits for its user; `vpn` flaps."""

from demo.beats.messages import (
    fires,
    is_absent,
    last_mail,
    mails,
    notifications_to,
    recovers,
    replies,
    reports,
    webhook,
    z,
)
from demo.beats.paging import takes_by_link
from demo.cast import MAYOR, TUESDAY, same, see
from demo.stage import Stage

OWN_WORDS = "Les totaux de mai sont faux de 312,40 €."


async def payroll(stage: Stage) -> None:
    """A user reports wrong totals through the web form."""
    stage.name("INC-16", await reports(stage, "garnier", "paie", OWN_WORDS))
    incident = await stage.incident("INC-16")
    same("it is of whom the form names", incident["reporter"], "garnier")
    same("and of their client", incident["client"], MAYOR)
    see("her receipt is on its way", last_mail(stage, "garnier", "INC-16"))


async def payroll_taken(stage: Stage) -> None:
    """Nadia takes it on four minutes later."""
    await stage.does("nadia", "INC-16", "acknowledge")
    same("TTO is met", (await stage.promise("INC-16", "tto"))["state"], "met")
    promise = await stage.promise("INC-16", "ttr")
    same("TTR is due at 15:10", promise["due_at"], z("15:10"))


async def climbs(stage: Stage) -> None:
    """Twenty minutes at N1 have passed: the incident escalates."""
    incident = await stage.incident("INC-16")
    same("it is at N2", incident["level"], "n2")
    same("the desk stays its owner", incident["owner_team"], "desk")
    same("N1 to N2, once", len(await stage.events("INC-16", "escalation.escalated")), 1)
    same(
        "Bruno is paged",
        len(await notifications_to(stage, "INC-16", "bruno", "page")),
        1,
    )


async def second_call(stage: Stage) -> None:
    """Another user calls about the same problem."""
    answer = await stage.contact(
        "leroy",
        "phone",
        "paul",
        title="Bulletin de paie faux",
        words="Il me manque trois cents euros.",
        service="paie",
    )
    stage.name("INC-17", answer["incident"])


async def merged(stage: Stage) -> None:
    """Merge the two incidents: they are the same."""
    await stage.does("paul", "INC-17", "merge", into=stage.ref("INC-16"))
    same("INC-17 left the stock", (await stage.incident("INC-17"))["status"], "merged")
    reporters = (await stage.incident("INC-16"))["reporters"]
    see("its user stays informed", "leroy" in reporters, reporters)


async def next_one(stage: Stage) -> None:
    """Bruno does not answer: the next person is paged."""
    same(
        "Chloé is paged",
        len(await notifications_to(stage, "INC-16", "chloe", "page")),
        1,
    )
    for person in ("bruno", "chloe"):
        page = last_mail(stage, person, "INC-16")
        see(f"{person} reads the user's own words", OWN_WORDS in page, page)
    why = await stage.events("INC-16", "escalation.paged")
    same("why each was paged is told", len(why), 2)
    see("the step and the schedule are named", "astreinte" in str(why[-1]), why[-1])


async def accepted(stage: Stage) -> None:
    """Chloé takes it by the link in her mail, without signing in."""
    page = await takes_by_link(stage, "chloe", "INC-16")
    see("which does not show the words of its user", OWN_WORDS not in page, page)
    incident = await stage.incident("INC-16")
    same("its owner is still the desk", incident["owner_team"], "desk")
    for person, times in (("bruno", 1), ("chloe", 0)):
        told = await notifications_to(stage, "INC-16", person, "taken_by_colleague")
        same(f"{person} hears that a colleague has it {times} times", len(told), times)


async def question(stage: Stage) -> None:
    """Chloé asks the user something."""
    await stage.does(
        "chloe", "INC-16", "pause", reason="user", question="Quel matricule ?"
    )
    promise = await stage.promise("INC-16", "ttr")
    same("while it is paused nothing is due", promise["due_at"], None)
    same("it is paused", promise["state"], "paused")
    mail = last_mail(stage, "garnier", "INC-16")
    see("the question was sent", "Quel matricule ?" in mail, mail)


async def answer(stage: Stage) -> None:
    """The user's reply resumes the incident automatically."""
    outcome = await replies(stage, "garnier", "INC-16", "Le 40 312.")
    same("the mail finds its incident", outcome["incident"], stage.ref("INC-16"))
    promise = await stage.promise("INC-16", "ttr")
    same("TTR is due at 16:10", promise["due_at"], z("16:10"))
    same(
        "TTO is untouched",
        (await stage.promise("INC-16", "tto"))["ended_at"],
        z("09:14"),
    )
    path = f"/v1/incidents/{stage.ref('INC-16')}/sla/explain"
    (explained,) = (await stage.reads(path, target="ttr"))["items"]
    stood = [each for each in explained["windows"] if each["stood_for"] == "user"]
    same(
        "`sla explain` shows the hour in which it waited for the user",
        [(each["begins_at"], each["ends_at"]) for each in stood],
        [(z("10:20"), z("11:20"))],
    )
    same("and that the six hours are used up at 16:10", explained["until"], z("16:10"))
    same("counted without it", explained["seconds"], 6 * 3600)


async def flaps(stage: Stage) -> None:
    """The first of six times, and the third incident of its kind in thirty days."""
    stage.name("INC-18", await fires(stage, "vpn", key="vpn-monday"))
    await recovers(stage, "vpn", key="vpn-monday")
    await problem_suggested(stage)


async def problem_suggested(stage: Stage) -> None:
    """It happened twice in June: a problem is suggested once, with the list."""
    row = [stage.ref(name) for name in ("INC-2", "INC-5", "INC-18")]
    found = await stage.events("INC-18", "escalation.problem_suggested")
    lists = [each["what"]["incidents"] for each in found]
    same("a problem is suggested once, with the list", lists, [row])
    mail = last_mail(stage, "helene", "INC-18")
    see("Hélène reads which they are", all(ref in mail for ref in row), mail)


async def flaps_again(stage: Stage) -> None:
    """The alert fires again."""
    again = await fires(stage, "vpn", key="vpn-monday")
    same("it is the same incident", again, stage.ref("INC-18"))
    await recovers(stage, "vpn", key="vpn-monday")


async def flapping(stage: Stage) -> None:
    """Half an hour later it is still one incident, and is marked as flapping."""
    await flaps_again(stage)
    incident = await stage.incident("INC-18")
    same("it is open", incident["status"], "new")
    same("it flaps", incident["flapping"], True)
    why = await stage.reads("/v1/decisions", "nadia", dedup_key="vpn-monday")
    see("why it is not over is told", "if it holds" in str(why), why)


async def flapping_over(stage: Stage) -> None:
    """It was quiet for ten minutes; Amina, who sits with the desk, closes it."""
    incident = await stage.incident("INC-18")
    same("it resolved by recovery", incident["status"], "resolved")
    same("at 11:50, ten minutes after the last", incident["resolved_at"], z("11:50"))
    same("it flaps no more", incident["flapping"], False)
    same("nobody had reported it", incident["reporters"], [])
    changes = await stage.events(
        "INC-18",
        "incident.opened",
        "incident.flapping_started",
        "incident.flapping_ended",
    )
    same("opened and flapping, once each", len(changes), 3)
    await problem_suggested(stage)
    await stage.does("amina", "INC-18", "close", note="procédure à corriger")


MAIL_ALERTS = tuple(f"Queue{n}Stuck" for n in range(1, 7))
WORK = "messagerie-fin-de-mois"


async def mail_fires(stage: Stage) -> None:
    """Mail is in maintenance, and its monitoring system fires."""
    await _mail(stage, "firing")


async def mail_back(stage: Stage) -> None:
    """It recovers before the window ends."""
    await _mail(stage, "resolved")


async def _mail(stage: Stage, status: str) -> None:
    body = webhook(stage, status, "messagerie", z("12:35"), MAIL_ALERTS)
    answer = await stage.signals("prometheus", body, "/v1/integrations/alertmanager")
    results = answer.json()["results"]
    reasons = {(each["status"], each["rule"], each["rule_of"]) for each in results}
    same("each says why", reasons, {("suppressed", "maintenance", WORK)})
    await stage.settle()


async def mail_work_over(stage: Stage) -> None:
    """At 13:00 nothing fires any more: no incident opens."""
    page = await stage.reads("/v1/suppressed", "nadia", service="messagerie")
    codes = [(item["code"], item["suppressor"]) for item in page["items"]]
    same("twelve suppressed, each with its reason", codes, [("maintenance", WORK)] * 12)
    queue = await stage.reads("/v1/queues/all/incidents", limit=100)
    opened = [item for item in queue["items"] if item["opened_at"] >= z("12:30")]
    same("nothing was opened for them", opened, [])


async def on_demand(stage: Stage) -> None:
    """Two incidents that will take long, for later."""
    answer = await stage.contact(
        "ndiaye",
        "phone",
        "paul",
        title="Adresse de contact à changer",
        service="messagerie",
    )
    stage.name("INC-19", answer["incident"])
    same(
        "INC-19 is due on Tuesday 12:30",
        (await stage.promise("INC-19", "ttr"))["due_at"],
        z("12:30", TUESDAY),
    )


async def on_the_web(stage: Stage) -> None:
    """The second one, by the web form."""
    answer = await stage.contact(
        "roche", "web", "nadia", title="Signature perdue", service="messagerie"
    )
    stage.name("INC-20", answer["incident"])
    await stage.does("nadia", "INC-20", "acknowledge")
    same(
        "INC-20 is due on Tuesday 13:15",
        (await stage.promise("INC-20", "ttr"))["due_at"],
        z("13:15", TUESDAY),
    )


async def second_screen(stage: Stage) -> None:
    """A service request, not an incident."""
    outcome = await mails(
        stage, "fabre", "I would like a second screen", "J'aimerais un second écran."
    )
    same("a mail opens one", outcome["verdict"], "opened")
    stage.name("INC-21", outcome["incident"])
    absent = await is_absent(stage, "fabre", "INC-21")
    same("an out-of-office opens and answers nothing", absent["verdict"], "automatic")
    contacts = (await stage.incident("INC-21"))["contacts"]
    same("the mail alone is a contact", len(contacts), 1)
    listed = await stage.reads("/v1/letters", "nadia", verdict="automatic")
    see("it is listed, with the reason", "Auto-Submitted" in str(listed), listed)


async def no_incident(stage: Stage) -> None:
    """It is cancelled, and its user is informed."""
    await stage.does("nadia", "INC-21", "cancel", reason="not_an_incident")
    incident = await stage.incident("INC-21")
    same("it is cancelled", incident["status"], "cancelled")
    same(
        "its user is told once",
        len(await notifications_to(stage, "INC-21", "fabre", "cancelled")),
        1,
    )
