"""The tools of a beat: the clock's lever, the cast's actions, the received messages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4  # noqa: TID251 # each act of the day has a key of its own

import httpx

from demo.cast import MONDAY, at, see
from demo.desk import Running, Tokens
from demo.inbox import Inbox
from demo.patience import AT_ONCE
from demo.quiescence import Connection, next_due, settled
from shared.clock import set_lever

Json = dict[str, Any]
Query = str | int | Sequence[str]


@dataclass
class Stage:
    """The running desk and its clock. `refs` names incidents as the programme does."""

    desk: Running
    lever: Path
    now: datetime
    connection: Connection
    client: httpx.AsyncClient
    tokens: Tokens
    inbox: Inbox
    refs: dict[str, str] = field(default_factory=dict)
    positions: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    async def until(self, instant: datetime) -> None:
        """Let time pass from one due instant to the next, completing each."""
        while (due := await next_due(self.connection)) is not None and due <= instant:
            self._show(max(due, self.now))
            await settled(self.connection, self.now)
        self._show(instant)
        await settled(self.connection, self.now)

    async def clock(self, written: str, day: date = MONDAY) -> None:
        """Let time pass until a local time of the day."""
        await self.until(at(written, day))

    def jump(self, instant: datetime) -> None:
        """Set the clock at once, whatever is due: nobody is there to see it."""
        self._show(instant)

    async def settle(self) -> None:
        """Wait until nothing is left to do at this instant."""
        await settled(self.connection, self.now)

    def _show(self, instant: datetime) -> None:
        self.now = instant
        set_lever(self.lever, instant)

    async def does(self, who: str, ref: str, verb: str, **body: object) -> Json:
        """Let a person of the cast act on an incident, and the desk react to it."""
        return await self.posts(who, f"/v1/incidents/{self.ref(ref)}/{verb}", body)

    async def contact(self, person: str, channel: str, by: str, **body: object) -> Json:
        """Let a person contact the desk; `by` records it."""
        given = {"person": person, "channel": channel, **body}
        if "incident" in given:
            given["incident"] = self.ref(str(given["incident"]))
        return await self.posts(by, "/v1/contacts", given)

    async def posts(self, who: str, path: str, body: Mapping[str, Any]) -> Json:
        """Post as a person; raises `Unseen` with the desk's message if refused."""
        answer = await self.tries(who, path, body)
        see(f"{who} may {path}", answer.is_success, answer.text)
        await self.settle()
        result: Json = answer.json()
        return result

    async def tries(
        self,
        who: str,
        path: str,
        body: Mapping[str, Any],
        *,
        key: str | None = None,
        at_once: bool = False,
    ) -> httpx.Response:
        """Post as a person and return the answer, whatever it is.

        `key` is that of all attempts. `at_once`: the first answer, also if the desk
        asks to come again.
        """
        bearer = {
            "Authorization": f"Bearer {self.tokens.people[who]}",
            "Idempotency-Key": key or uuid4().hex,
        }
        extensions = dict(AT_ONCE) if at_once else {}
        return await self.client.post(
            path, json=dict(body), headers=bearer, extensions=extensions
        )

    async def reads(self, path: str, who: str = "sylvie", **query: Query) -> Any:  # noqa: ANN401 JSON
        """Read as a person; raises `Unseen` if that is refused."""
        bearer = {"Authorization": f"Bearer {self.tokens.people[who]}"}
        answer = await self.client.get(path, params=dict(query), headers=bearer)
        see(f"{who} may read {path}", answer.is_success, answer.text)
        return answer.json()

    async def incident(self, name: str, **query: Query) -> Json:
        """Return an incident, all of it in one read."""
        path = f"/v1/incidents/{self.ref(name)}"
        result: Json = await self.reads(path, "sylvie", **query)
        return result

    async def promise(
        self, name: str, target: str, cycle: int = 1, **query: Query
    ) -> Json:
        """Return the last promise of a kind about an incident."""
        promises = (await self.incident(name, **query))["promises"]
        found = [p for p in promises if (p["target"], p["cycle"]) == (target, cycle)]
        see(f"{name} has a promise {target} in cycle {cycle}", found, promises)
        last: Json = found[-1]
        return last

    async def events(self, name: str, *types: str) -> list[Json]:
        """Return the events about an incident, of some types, in order."""
        page = await self.reads(f"/v1/incidents/{self.ref(name)}/timeline", limit=500)
        lines: list[Json] = page["items"]
        return [line for line in lines if not types or line["kind"] in types]

    async def signals(
        self, source: str, body: Mapping[str, Any] | Sequence[Any], path: str
    ) -> httpx.Response:
        """Post as a monitoring system."""
        key = self.tokens.sources[source]
        url = f"{self.desk.intake_url}{path}"
        bearer = {"Authorization": f"Bearer {key}"}
        return await self.client.post(url, json=body, headers=bearer)

    def name(self, name: str, ref: str) -> None:
        """Give an incident the name that the programme uses."""
        self.refs[name] = ref

    def ref(self, name: str) -> str:
        """Return the reference of an incident by its name in the programme."""
        return self.refs.get(name, name)
