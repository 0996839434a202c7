"""Encodes an image again: from standard input, as PNG to standard output.

Runs as a process of its own with little memory and time, so that an image made to break
a decoder breaks nothing else. No byte of the original is passed on, nor what it says
about place and camera.
"""

import io
import resource
import sys
from enum import IntEnum

from PIL import Image, ImageOps

MEMORY_BYTES_MAX = 768 * 1024 * 1024
CPU_SECONDS_MAX = 10
PIXELS_MAX = 40_000_000
"""Pixels of the original: cameras have fewer, and 160 MB hold them."""
SIDE_MAX = 1_600
"""Pixels of the longer side of a preview."""
FORMATS = ("PNG", "JPEG", "GIF", "WEBP")


class ExitCode(IntEnum):
    """How the process ends."""

    DONE = 0
    NO_IMAGE = 3
    TOO_LARGE = 4


def rendered(original: bytes) -> bytes:
    """Return an image as PNG, upright, at most `SIDE_MAX` wide and high."""
    with Image.open(io.BytesIO(original), formats=FORMATS) as image:
        if image.width * image.height > PIXELS_MAX:
            raise Image.DecompressionBombError
        image.draft("RGB", (SIDE_MAX, SIDE_MAX))
        small = ImageOps.exif_transpose(image)
        small.thumbnail((SIDE_MAX, SIDE_MAX))
        plain = Image.new("RGBA", small.size, "white")
        plain.alpha_composite(small.convert("RGBA"))
    written = io.BytesIO()
    plain.convert("RGB").save(written, "PNG")
    return written.getvalue()


def main() -> int:
    """Render what is on standard input."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS_MAX, CPU_SECONDS_MAX))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    Image.MAX_IMAGE_PIXELS = PIXELS_MAX
    original = sys.stdin.buffer.read()
    try:
        written = rendered(original)
    except (Image.DecompressionBombError, MemoryError):
        return ExitCode.TOO_LARGE
    except Exception:  # noqa: BLE001 # a broken image may raise anything
        return ExitCode.NO_IMAGE
    sys.stdout.buffer.write(written)
    return ExitCode.DONE


if __name__ == "__main__":
    sys.exit(main())
