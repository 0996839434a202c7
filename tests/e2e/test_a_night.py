"""A night of pages, by real mail and push, calm and then with everything that fails.

The primary sleeps through a mail and a push message, the secondary takes the incident
by the link in theirs, the promise is broken, the problem is accepted, and the user is
told each thing once. The same night with every process killed and a frozen leader sends
the same messages.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import cycle
from pathlib import Path

import pytest

from tests.support.builders.promises import FILE, local
from tests.support.desks.notifying import CallingDesk, calling_desk
from tests.support.desks.on_call.paging import body_of, mailed, press
from tests.support.desks.running import SERVICES, TWIN
from tests.support.folders import reachable_folder
from tests.support.patience import until

pytestmark = pytest.mark.servers

PUSH = "bruno-night"
_ROTATION = 'rotation: {type: weekly, shift_length: 1, start: "2025-06-02T09:00"'
_LAYERS = f"""layers: [
    {{{_ROTATION}, participants: [amina, bruno, chloe]}}}},
    {{{_ROTATION}, participants: [bruno, chloe, amina]}}, role: secondary}}]}}"""
CHANGES = (
    (f"{_ROTATION}, participants: [amina, bruno, chloe]}}}}", _LAYERS),
    ("page: {who: next}", "page: {who: on_call, role: secondary}"),
)
BOTH = (*SERVICES, f"escalation{TWIN}")
USER_IS_TOLD = 5
"""Received, passed to specialists, taken on, normal again, resolved."""


def policy_of_the_night(folder: Path) -> Path:
    """Write the policy of Valmont with a secondary who is paged second."""
    text = FILE.read_text(encoding="utf-8")
    for before, after in CHANGES:
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    path = folder / "night.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[CallingDesk]:
    with (
        reachable_folder() as folder,
        calling_desk(
            folder,
            local("07-01 09:00"),
            BOTH,
            policy_of_the_night(tmp_path),
            {"PERMANENCE_NTFY_URL": "{postbox}"},
        ) as running,
    ):
        yield running


def messages(desk: CallingDesk, ref: str) -> dict[str, tuple[str, str]]:
    """Return recipient and title of what was sent about an incident, by its key.

    A message whose sender was killed may arrive twice: its repeat has the same key.
    """
    mails = {
        str(mail["Message-ID"]): (to[0], str(mail["subject"]))
        for mail, to in desk.inbox.delivered
        if ref in str(mail["subject"])
    }
    posts = {}
    for each in desk.postbox.requests:
        said = json.loads(each.body)
        if said.get("title") == ref:
            posts[said["sequence_id"]] = (said["topic"], said["message"])
        elif said.get("incident") == ref:
            posts[each.headers["idempotency-key"]] = ("hook", said["kind"])
    return mails | posts


def count_of(sent: dict[str, tuple[str, str]], ref: str) -> Counter[tuple[str, str]]:
    return Counter((to, title.replace(ref, "REF")) for to, title in sent.values())


def until_told(desk: CallingDesk, ref: str, person: str, title: str) -> None:
    """Wait until somebody was told this about an incident."""

    def told() -> bool:
        sent = messages(desk, ref).values()
        return any(to.startswith(person) and title in said for to, said in sent)

    until(told, f"{person} hears of {ref}: {title}")
    desk.until_quiet()


def push_after_two_minutes(desk: CallingDesk) -> None:
    """Let bruno add ntfy, enter its code, and use it when a mail did not wake them."""
    own = "/v1/people/bruno"
    topic = {"kind": "ntfy", "value": PUSH}
    method = desk.post(f"{own}/contact-methods", topic, "bruno").json()["method"]
    until(lambda: bool(desk.postbox.requests), "the code arrives")
    message = json.loads(desk.postbox.requests[0].body)["message"]
    code = re.findall(r"[0-9]{6}", message)[0]
    desk.post(f"{own}/contact-methods/{method}/verify", {"code": code}, "bruno")
    rules = [{"method": "mail"}, {"method": method, "delay_minutes": 2}]
    desk.post(f"{own}/notification-rules", {"important": rules}, "bruno")
    desk.until_quiet()


@dataclass(frozen=True)
class Night:
    """A night from two o'clock on; `fail` makes something fail as a step begins."""

    desk: CallingDesk
    begins: datetime
    fail: Callable[[CallingDesk], None]

    def at(self, minutes: int) -> None:
        """Let so many minutes have passed."""
        self.desk.desk.move_to(self.begins + timedelta(minutes=minutes))
        self.fail(self.desk)

    def played(self) -> str:
        """Play it; return its incident."""
        desk = self.desk
        self.at(0)
        ref = desk.open(urgency="high", title="Paie en panne")
        self.fail(desk)
        until_told(desk, ref, "bruno@", "on a besoin de vous")
        until_told(desk, ref, "roche@", "Nos spécialistes")
        self.at(2)
        until_told(desk, ref, PUSH, "on a besoin de vous")
        self.at(15)
        until_told(desk, ref, "chloe@", "on a besoin de vous")
        self._taken_by_link(ref)
        for minutes, said in ((180, "bientôt atteint"), (241, "dépassé")):
            self.at(minutes)
            until_told(desk, ref, "sylvie@", f"Délai de résolution {said}")
        until_told(desk, ref, "helene@", "cause à rechercher")
        desk.post(f"/v1/handovers/{ref}/accept", who="helene")
        self.fail(desk)
        desk.until_said(ref, "handover.accepted")
        for verb, said in (("restore", "de nouveau"), ("resolve", "Incident résolu")):
            desk.post(f"/v1/incidents/{ref}/{verb}", {}, "chloe")
            self.fail(desk)
            until_told(desk, ref, "roche@", said)
        return ref

    def _taken_by_link(self, ref: str) -> None:
        page = body_of(mailed(self.desk, "chloe", ref))
        (token,) = re.findall(r"desk\.valmont\.example/take/([A-Za-z0-9_-]+)", page)
        taken = press(self.desk, token, "take")
        assert (taken.status_code, "Il est à vous" in taken.text) == (200, True)
        self.fail(self.desk)
        until_told(self.desk, ref, "bruno@", "Un collègue l’a pris")
        until_told(self.desk, ref, "roche@", "Une personne s’occupe")


def kill_or_freeze(faults: Iterator[str]) -> Callable[[CallingDesk], None]:
    """Return what kills the next service, or freezes the leader until a twin leads."""

    def fail(desk: CallingDesk) -> None:
        name = next(faults)
        if name == "leader":
            frozen = desk.desk.leader("escalation", "outbox")
            desk.desk.services[frozen].freeze()
            until(lambda: desk.desk.leader("escalation", "outbox") != frozen, "a twin")
            desk.desk.services[frozen].thaw()
            return
        desk.desk.services[name].kill()
        desk.desk.services[name].start()
        desk.desk.wait_ready([name])

    return fail


def test_a_night_with_every_process_killed_sends_the_messages_of_a_calm_one(
    desk: CallingDesk,
) -> None:
    push_after_two_minutes(desk)
    calm = Night(desk, local("07-02 02:00"), lambda _: None).played()
    told = count_of(messages(desk, calm), calm)
    faults = cycle((*BOTH, "leader"))
    rough = Night(desk, local("07-03 02:00"), kill_or_freeze(faults)).played()

    assert count_of(messages(desk, rough), rough) == told
    assert {n for (to, _), n in told.items() if to != "hook"} == {1}, told
    user = [title for to, title in told if to == "roche@valmont.example"]
    assert len(user) == USER_IS_TOLD
    accepted = [each for each in desk.said(rough) if each.type == "escalation.accepted"]
    assert [(each.person, each.via) for each in accepted] == [("chloe", "link")]
    assert len(desk.get("/v1/problems")["items"]) == len((calm, rough))
    for name in BOTH:
        assert "Traceback" not in desk.desk.output(name)
