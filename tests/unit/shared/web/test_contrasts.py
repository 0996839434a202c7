"""What axe-core does not measure: borders by which one sees where a field is."""

import re
from pathlib import Path

import pytest

STYLE = Path(__file__).parents[4] / "shared" / "web" / "assets" / "page.css"
_LIGHT, _DARK = re.findall(r":root \{(.*?)\}", STYLE.read_text("utf-8"), re.DOTALL)[:2]
CONTRAST_MIN = 3.0


def _colours(declared: str) -> dict[str, str]:
    found = dict(re.findall(r"--([\w-]+): #([0-9a-f]{3,6})", declared))
    return {
        name: c if len(c) == 6 else "".join(2 * d for d in c)
        for name, c in found.items()
    }


def _luminance(colour: str) -> float:
    """Return the relative luminance of a colour, as WCAG defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("declared", [_LIGHT, _DARK], ids=["light", "dark"])
@pytest.mark.parametrize("ground", ["ground", "sheet"])
@pytest.mark.parametrize("edge", ["edge", "accent"])
def test_the_edge_of_a_field_stands_out(declared: str, ground: str, edge: str) -> None:
    colours = _colours(declared)

    assert _contrast(colours[edge], colours[ground]) >= CONTRAST_MIN
