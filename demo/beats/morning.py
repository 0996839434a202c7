"""07:52 to 09:20: the portal is down, and four calls."""

import asyncio

from demo.beats.messages import (
    ALERTS,
    last_mail,
    notifications_to,
    passes_on,
    webhook,
    z,
)
from demo.beats.paging import takes_by_link
from demo.cast import TUESDAY, at, same, see
from demo.stage import Stage

POSTS, CLIENTS = 200, 8
STAFF = ("bruno", "chloe", "nadia", "paul", "karim", "sylvie")


async def portal_down(stage: Stage) -> None:
    """Alertmanager posts 200 times, eight at once, before the desk opens."""
    body = webhook(stage, "firing", "portail", stage.now.isoformat())
    gate = asyncio.Semaphore(CLIENTS)

    async def post() -> set[str]:
        async with gate:
            answer = await stage.signals(
                "prometheus", body, "/v1/integrations/alertmanager"
            )
        see("each post is taken", answer.is_success, answer.text)
        return {result["incident"] for result in answer.json()["results"]}

    answers = await asyncio.gather(*(post() for _ in range(POSTS)))
    await stage.settle()
    opened = set().union(*answers)
    same("they are one incident", len(opened), 1)
    stage.name("INC-13", opened.pop())
    incident = await stage.incident("INC-13")
    same("three alerts belong to it", len(incident["signals"]), len(ALERTS))
    joined = await stage.events("INC-13", "incident.signalled")
    see(
        "the timeline says that they agree in their service",
        any("agrees" in line["sentence"] for line in joined),
        joined,
    )
    same("P1 from criticality and severity", incident["priority"], "p1")
    same("at N2 at once", incident["level"], "n2")
    ref = stage.ref("INC-13")
    same("Amina is paged, once", len(stage.inbox.about("amina", ref)), 1)
    others = [who for who in STAFF if stage.inbox.about(who, ref)]
    same("nobody else is", others, [])


async def portal_taken(stage: Stage) -> None:
    """Amina takes it by the link in her mail, which acknowledges it, too."""
    page = await takes_by_link(stage, "amina", "INC-13")
    see("the page has the title of monitoring", ALERTS[0] in page, page)
    promise = await stage.promise("INC-13", "tto")
    same("TTO is met", promise["state"], "met")
    same("it was due at 08:07", promise["due_at"], z("08:07"))


async def call_attached(stage: Stage) -> None:
    """Mme Lefèvre calls; answered after 18 s."""
    await stage.contact(
        "lefevre",
        "phone",
        "nadia",
        incident="INC-13",
        words="Le portail est tout blanc ! 😡",
        waited_seconds=18,
    )


async def mail_attached(stage: Stage) -> None:
    """M. Costa writes; the desk proposes the incident it belongs to."""
    found = await stage.reads(
        "/v1/contacts/candidates", "nadia", person="costa", service="portail"
    )
    proposed = [item["incident"]["ref"] for item in found["items"]]
    see("INC-13 is proposed", stage.ref("INC-13") in proposed, proposed)
    words = "The portal shows a blank page since 7:50."
    outcome = await passes_on(stage, "nadia", "costa", words, "INC-13")
    same("the mail is attached", outcome["verdict"], "attached")
    incident = await stage.incident("INC-13")
    same("two contacts", len(incident["contacts"]), 2)
    same(
        "their words are verbatim",
        [contact["words"] for contact in incident["contacts"]],
        ["Le portail est tout blanc ! 😡", words],
    )
    for person, language in (("lefevre", "fr"), ("costa", "en")):
        receipt = last_mail(stage, person, "INC-13")
        see(f"{person} has the reference", stage.ref("INC-13") in receipt, receipt)
        see(f"{person} knows when it is due", "11:52" in receipt, receipt)
        greeting = {"fr": "Bonjour", "en": "Hello"}[language]
        see(f"{person} reads {language}", greeting in receipt, receipt)


async def printer(stage: Stage) -> None:
    """A printer that its user calls P1."""
    answer = await stage.contact(
        "petit",
        "phone",
        "paul",
        title="Mon imprimante ne marche plus",
        words="Mon imprimante, c'est P1 !",
        service="messagerie",
        impact="low",
        urgency="high",
    )
    stage.name("INC-14", answer["incident"])
    before = await _refusals(stage)
    refused = await stage.tries(
        "paul", f"/v1/incidents/{stage.ref('INC-14')}/classify", {"priority": "p1"}
    )
    see("Paul may not set P1", refused.status_code in (403, 422), refused.text)
    same("the refusal is in the journal", await _refusals(stage), before + 1)
    incident = await stage.incident("INC-14")
    same("it stays P3", incident["priority"], "p3")
    promise = await stage.promise("INC-14", "ttr")
    same("TTR is due on Tuesday 10:15", promise["due_at"], z("10:15", TUESDAY))


async def _refusals(stage: Stage) -> int:
    cursor = await stage.connection.execute("SELECT count(*) FROM intake.refusals")
    row = await cursor.fetchone()
    return int(row[0]) if row else 0


async def fail_over(stage: Stage) -> None:
    """The second site takes over, then the recovery arrives."""
    await stage.does(
        "amina", "INC-13", "restore", workaround=True, note="Bascule sur le second site"
    )
    started = at("07:52").isoformat()
    body = webhook(stage, "resolved", "portail", started)
    answer = await stage.signals("prometheus", body, "/v1/integrations/alertmanager")
    see("the recovery is taken", answer.is_success, answer.text)
    await stage.settle()
    promise = await stage.promise("INC-13", "ttr")
    same("TTR is met", promise["state"], "met")
    same("after 39 minutes", promise["elapsed_seconds"], 39 * 60)
    incident = await stage.incident("INC-13")
    same("it is not resolved: people reported it", incident["status"], "acknowledged")
    problem = await stage.posts(
        "helene",
        "/v1/problems",
        {
            "title": "Le portail ne survit pas à la panne d'un site",
            "service": "portail",
            "incident": stage.ref("INC-13"),
        },
    )
    stage.name("PRB-1", problem["record"])
    links = (await stage.incident("INC-13"))["links"]
    wanted = ("problem", stage.ref("PRB-1"))
    linked = [(each["relation"], each["target"]) for each in links]
    see("the problem is linked", wanted in linked, links)
    for person in ("lefevre", "costa"):
        same(
            f"{person} is told once",
            len(await notifications_to(stage, "INC-13", person, "restored")),
            1,
        )


async def mailbox(stage: Stage) -> None:
    """A full mailbox, solved on the phone."""
    answer = await stage.contact(
        "marchand",
        "phone",
        "nadia",
        title="Boîte pleine",
        words="Je ne peux plus rien envoyer.",
        service="messagerie",
        waited_seconds=9,
    )
    stage.name("INC-15", answer["incident"])


async def mailbox_solved(stage: Stage) -> None:
    """It is emptied while she holds the line."""
    await stage.does("nadia", "INC-15", "resolve", note="Corbeille vidée.")


async def mailbox_closed(stage: Stage) -> None:
    """She agrees; it is closed after its final message."""
    final = await notifications_to(stage, "INC-15", "marchand", "resolved")
    same("the final message went out", len(final), 1)
    await stage.does("nadia", "INC-15", "close")


async def shift(stage: Stage) -> None:
    """On call, Amina hands over to Bruno."""
    for clock, who in (("08:59", "amina"), ("09:00", "bruno")):
        duty = await stage.reads(
            "/v1/oncall", schedule="astreinte", at=at(clock).isoformat()
        )
        see(f"{who} is on call at {clock}", who in str(duty), duty)


async def back_again(stage: Stage) -> None:
    """INC-10, closed on Friday, fires again."""
    await stage.contact(
        "dubois", "phone", "paul", incident="INC-10", words="Ça recommence."
    )
    await stage.does("paul", "INC-10", "reopen", cause="user", reason="de nouveau lent")
    promise = await stage.promise("INC-10", "ttr", 2)
    same("TTR goes on, due on Tuesday 09:20", promise["due_at"], z("09:20", TUESDAY))
    timeline = await stage.events("INC-10", "incident.closed")
    same("its closure stays", len(timeline), 1)
