"""How the cast answers pages: by the link in the mail, without signing in."""

import re
from html import unescape

from demo.beats.messages import last_mail
from demo.cast import same, see
from demo.stage import Stage

LOOKS = 5
"""How often a mail scanner opens the link before its reader does."""
_LINK = re.compile(r"https?://\S+(/take/[A-Za-z0-9_-]+)")
_HIDDEN = re.compile(r'name="(key|csrf)" value="([^"]+)"')


async def takes_by_link(stage: Stage, person: str, name: str) -> str:
    """Let a person who was paged take an incident; return the page as it was before.

    Opening the link changes nothing, and the button of the page acts once.
    """
    (link,) = _LINK.findall(last_mail(stage, person, name))
    before = (await stage.incident(name))["version"]
    for _ in range(LOOKS):
        shown = await stage.client.get(link)
    page = unescape(shown.text)
    see("the page has one main button", "Je prends" in page, page)
    after = (await stage.incident(name))["version"]
    same("opening it changes nothing", after, before)
    form = dict(_HIDDEN.findall(shown.text)) | {"action": "take"}
    for _ in range(2):  # a second tap changes nothing
        done = await stage.client.post(link, data=form, follow_redirects=True)
        see("the button takes it", "Il est à vous" in unescape(done.text), done.text)
    await stage.settle()
    accepted = await stage.events(name, "escalation.accepted")
    same("it is accepted once", len(accepted), 1)
    see("by the link", "by the link" in accepted[0]["sentence"], accepted[0])
    incident = await stage.incident(name)
    same(f"{person} has accepted", incident["accepted_by"], person)
    return page
