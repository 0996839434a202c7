"""How the play looks at what people were told, and at instants in answers."""

from datetime import date

from services.demo.seeing import see
from services.demo.stage import Json, Stage
from services.demo.times import MONDAY, at


def z(clock: str, day: date = MONDAY) -> str:
    """Return a local time of a day as the API writes it."""
    return at(clock, day).isoformat().replace("+00:00", "Z")


async def told_of(stage: Stage, name: str, person: str, kind: str) -> list[Json]:
    """Return the notifications of a kind to a person about an incident."""
    incident = await stage.incident(name)
    return [
        told
        for told in incident["notifications"]
        if (told["person"], told["kind"]) == (person, kind)
    ]


def words_of(stage: Stage, person: str, name: str) -> str:
    """Return subject and body of the last mail to a person about an incident."""
    mails = stage.letters.about(person, stage.ref(name))
    see(f"{person} had mail about {name}", mails)
    body = mails[-1].get_body(("plain",))
    return f"{mails[-1]['Subject']}\n{body.get_content() if body else ''}"
