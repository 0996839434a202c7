"""Satisfaction: users answer by the link in their mail; results lead to actions."""

import asyncio
import re
from datetime import date
from html import unescape

from demo.cast import same, see
from demo.quiescence import LOOK_SECONDS, PATIENCE_SECONDS
from demo.stage import Json, Stage

SURVEY, CLIENTS = "after-incident", "clients"
CONTACTS = ("garnier", "tremblay")
MAY, JUNE, JULY = date(2025, 5, 1), date(2025, 6, 1), date(2025, 7, 1)
NEW_YEAR = date(2026, 1, 1)
MAYS_ACTION_DUE = date(2025, 6, 27)
ACTION_DUE = date(2025, 7, 11)
UNHAPPY = "Trois jours pour un fuseau horaire, sans nouvelles."
INVITED, ANSWERED, SATISFIED = 10, 5, 3
"""What June ends with: 5, 4 and 3 before Monday; 5 and 2 on it."""
_LINK = re.compile(r"https?://\S+(/survey/[A-Za-z0-9._-]+)")
_TOKEN = re.compile(r'name="csrf" value="([^"]+)"')
_QUESTION = re.compile(r'name="(choice\.[^"]+)"')


async def answers_by_link(
    stage: Stage, person: str, name: str, choice: int, comment: str = ""
) -> None:
    """Let a user answer by the link in their mail, without signing in."""
    mails = stage.inbox.about(person, stage.ref(name))
    bodies = [body for mail in mails if (body := mail.get_body(("plain",)))]
    links = [link for body in bodies for link in _LINK.findall(body.get_content())]
    same(f"{person} is asked about {name}, once", len(links), 1)
    shown = await stage.client.get(links[0])
    see("opening the link answers nothing", "<form" in shown.text, shown.text)
    form = {"csrf": _TOKEN.findall(shown.text)[0], "comment": comment}
    form |= dict.fromkeys(_QUESTION.findall(shown.text), str(choice))
    for _ in range(2):  # a second answer counts nothing
        done = await stage.client.post(links[0], data=form, follow_redirects=True)
        thanks = "votre réponse est bien reçue" in unescape(done.text)
        see("the answer is received", thanks, done.text)
    await stage.settle()


async def may(stage: Stage) -> None:
    """May asked nobody. What follows is Nadia's, until 27 June, and she forgets it."""
    path = f"/v1/surveys/{SURVEY}"
    month = {"from": MAY.isoformat(), "to": JUNE.isoformat()}
    await stage.posts("sylvie", f"{path}/publish", month)
    task = "Annoncer l'enquête aux usagers."
    await _open(stage, MAY, MAYS_ACTION_DUE, task)
    same("Nadia hears of her action", len(_mails_to_nadia(stage, "1")), 1)


async def mailbox_answered(stage: Stage) -> None:
    """Mme Marchand is asked about INC-15, and answers 5."""
    await answers_by_link(stage, "marchand", "INC-15", 5)


async def dissatisfied(stage: Stage) -> None:
    """INC-12's user answers 2, with a comment."""
    await answers_by_link(stage, "blanc", "INC-12", 2, UNHAPPY)


async def june_closes(stage: Stage) -> None:
    """Sylvie publishes June, and opens an action; that of May is overdue."""
    late = await _warned(stage)
    same("the overdue action is May's", (late["kind"], late["action"]), _OVERDUE)
    # That it is hers, a reminder before the last day, and that it is overdue.
    same("Nadia had three mails about it", len(_mails_to_nadia(stage, "1")), 3)
    path, month = (
        f"/v1/surveys/{SURVEY}",
        {"from": JUNE.isoformat(), "to": JULY.isoformat()},
    )
    await stage.posts("sylvie", f"{path}/publish", month)
    found = await stage.reads(f"{path}/results", "sylvie", **month)
    same("published as the log gives it", found["as_published"], wanted=True)
    figures = found["published"]["figures"]
    same("what users answered", counts_of(figures), (INVITED, ANSWERED, SATISFIED))
    await _open(stage, JUNE, ACTION_DUE, "Prévenir l'usager chaque jour d'attente.")
    same("Nadia hears of the new one", len(_mails_to_nadia(stage, "2")), 1)
    actions = (await stage.reads(f"{path}/results", "nadia", **month))["survey"][
        "actions"
    ]
    same(
        "one action is overdue, one is open",
        {each["action"]: each["overdue"] for each in actions},
        {1: True, 2: False},
    )


async def clients_asked(stage: Stage) -> None:
    """The survey of clients opens: one contact of each is asked."""
    half_year = {"from": JULY.isoformat(), "to": NEW_YEAR.isoformat()}
    found = await stage.reads(f"/v1/surveys/{CLIENTS}/results", "sylvie", **half_year)
    same("contacts who are asked", found["figures"]["invited"], len(CONTACTS))
    for person in CONTACTS:
        mails = stage.inbox.to(person)
        about_none = (each for each in mails if "[INC-" not in str(each["Subject"]))
        bodies = [each.get_body(("plain",)) for each in about_none]
        links = [
            link
            for body in bodies
            if body
            for link in _LINK.findall(body.get_content())
        ]
        same(f"{person} is asked, once", len(links), 1)


_OVERDUE = ("action_overdue", 1)


async def satisfaction_of_june(stage: Stage) -> tuple[int, int, int]:
    """Return invitations, answers and satisfied answers. Raises `Unseen`.

    The metrics and the results of the survey are two calculations from one log.
    """
    month = {"from": JUNE.isoformat(), "to": JULY.isoformat()}
    found = await stage.reads(f"/v1/surveys/{SURVEY}/results", "sylvie", **month)
    metrics = await stage.reads("/v1/metrics", "sylvie", **month, zone="Europe/Paris")
    counted = counts_of(found["figures"])
    of_metrics = metrics["figures"]["satisfaction"]
    same("June, as results", counted, (INVITED, ANSWERED, SATISFIED))
    same(
        "June, as metrics",
        (of_metrics["invited"], of_metrics["n"], of_metrics["share"]),
        (INVITED, ANSWERED, SATISFIED / ANSWERED),
    )
    return counted


def counts_of(figures: Json) -> tuple[int, int, int]:
    """Return invitations, answers and satisfied answers of results."""
    return figures["invited"], figures["n"], figures["satisfied"]


async def _open(stage: Stage, month: date, due: date, task: str) -> None:
    body = {
        "from": month.isoformat(),
        "owner": "nadia",
        "due": due.isoformat(),
        "task": task,
    }
    await stage.posts("sylvie", f"/v1/surveys/{SURVEY}/actions", body)


async def _warned(stage: Stage) -> Json:
    """Return the warning, which intake decides beside the log, not because of an event.

    It is looked for until it is there.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + PATIENCE_SECONDS
    while True:
        listed = (await stage.reads("/v1/surveys", "sylvie"))["items"]
        (held,) = (each for each in listed if each["survey"] == SURVEY)
        if held["warnings"]:
            await stage.settle()
            warning: Json = held["warnings"][0]
            return warning
        see("the overdue action is warned of", loop.time() < deadline)
        await asyncio.sleep(LOOK_SECONDS)


def _mails_to_nadia(stage: Stage, action: str) -> list[str]:
    found = [str(mail["Subject"]) for mail in stage.inbox.to("nadia", SURVEY)]
    return [subject for subject in found if f"action {action} " in subject]
