"""Takes the pictures of the pages: `make screenshots`, after the day of the demo.

The clock of the desk stands at the end of the day, and so does that of the browser: the
same program makes the same pictures. Look at each before you commit it.
"""

import asyncio
import os
import re
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.async_api import Browser, Page, async_playwright
from rich.console import Console

from demo.desk import fresh_home
from demo.play import entrances, open_stage, play_beats
from demo.stage import Stage
from standalone.folder import Account, server_account
from tests.support.folders import reachable_folder
from tests.support.servers.browser import CHROMIUM, FLAGS

IMAGES = Path(__file__).parents[1] / "images"
COLOURS = 256
"""As many as the pages need; the files are half the size."""
BYTES_MAX = 120_000
_WIDE, _TELEPHONE = (1180, 700), (375, 760)
_LINK = re.compile(r"http://\S+/my/[\w~.-]+")

Show = Callable[[Page, Stage], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Picture:
    """A page as it is shown in the documents."""

    name: str
    show: Show
    size: tuple[int, int] = _WIDE
    locale: str = "en-GB"
    scheme: str = "light"
    who: str | None = "nadia"


async def _queue(page: Page, stage: Stage) -> None:
    await page.goto(f"{stage.desk.api_url}/")
    await page.wait_for_selector("#feed.is-live")


async def _incident(page: Page, stage: Stage) -> None:
    found = await stage.reads("/v1/queues/all/incidents", "nadia", limit="1")
    await page.goto(f"{stage.desk.api_url}/incidents/{found['items'][0]['ref']}")
    await page.wait_for_selector("#feed.is-live")


async def _answer(page: Page, stage: Stage) -> None:
    await _incident(page, stage)
    await page.keyboard.press("r")
    await page.keyboard.type("The provider has found the cause.")


async def _resolve(page: Page, stage: Stage) -> None:
    await _incident(page, stage)
    await page.keyboard.press("e")
    await page.keyboard.type("The provider has more disks now")


async def _call(page: Page, stage: Stage) -> None:
    await page.goto(f"{stage.desk.api_url}/contacts/new")
    await page.fill("#caller", "Garnier")
    await page.wait_for_selector("[name=person]:checked")
    await page.fill("#words", "The payroll totals are wrong again.")
    await page.select_option("#service", "paie")
    await page.wait_for_load_state("networkidle")


async def _receipt(page: Page, stage: Stage) -> None:
    await _call(page, stage)
    await page.locator(".send button").first.click()
    await page.wait_for_selector("#receipt")


async def _user(page: Page, stage: Stage) -> None:
    mails = (mail.get_body(("plain",)) for mail in stage.inbox.mails)
    texts = (str(body.get_content()) for body in mails if body)
    links = [found[0] for text in texts if (found := _LINK.search(text))]
    await page.goto(links[-1])


PICTURES = (
    Picture("queue", _queue),
    Picture("queue-dark", _queue, scheme="dark"),
    Picture("queue-french", _queue, locale="fr-FR"),
    Picture("queue-telephone", _queue, size=_TELEPHONE),
    Picture("incident", _incident, size=(1180, 900)),
    Picture("answer", _answer),
    Picture("resolve", _resolve),
    Picture("call", _call),
    Picture("receipt", _receipt, size=(1180, 480)),
    Picture("user-page", _user, size=_TELEPHONE, locale="fr-FR", who=None),
)


def main() -> None:
    """Play the day, then take all pictures."""
    if CHROMIUM is None:
        sys.exit("no Chromium here: install Debian's `chromium-headless-shell`")
    account = None if os.environ.get("DATABASE_URL") else server_account()
    with (
        reachable_folder() as folder,
        fresh_home(folder / "demo", account) as home,
    ):
        asyncio.run(_taken(home, account))


async def _taken(home: Path, account: Account | None) -> None:
    async with open_stage(home, account) as stage:
        await play_beats(stage, Console(stderr=True))
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=CHROMIUM, args=FLAGS
            )
            for picture in PICTURES:
                await _take(picture, browser, stage)
            await browser.close()


async def _take(picture: Picture, browser: Browser, stage: Stage) -> None:
    width, height = picture.size
    context = await browser.new_context(
        viewport={"width": width, "height": height},
        locale=picture.locale,
        color_scheme="dark" if picture.scheme == "dark" else "light",
        timezone_id="Europe/Paris",
        reduced_motion="reduce",
    )
    page = await context.new_page()
    await page.clock.set_fixed_time(stage.now)
    if picture.who:
        links = dict(await asyncio.to_thread(entrances, stage))
        await page.goto(_entrance(links, picture.who))
        await page.locator("main button").click()
        await page.wait_for_selector("a[href='/sessions']")
    await picture.show(page, stage)
    shot = await page.screenshot(animations="disabled", caret="hide")
    await context.close()
    file = IMAGES / f"{picture.name}.png"
    file.write_bytes(_smaller(shot))
    print(f"written: {file}")


def _entrance(links: Mapping[str, str], who: str) -> str:
    return next(link for name, link in links.items() if name.lower().startswith(who))


def _smaller(shot: bytes) -> bytes:
    """Return a picture with a palette: text and areas of few colours lose nothing."""
    written = BytesIO()
    with Image.open(BytesIO(shot)) as image:
        few = image.convert("RGB").quantize(
            COLOURS,
            method=Image.Quantize.MAXCOVERAGE,  # keeps the colour of a small dot
            dither=Image.Dither.NONE,
        )
        few.save(written, "PNG", optimize=True)
    return written.getvalue()


if __name__ == "__main__":
    main()
