"""Files as people and attackers send them."""

import io
import struct
import zipfile
import zlib

from PIL import Image

EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


def picture(
    kind: str = "PNG", size: tuple[int, int] = (40, 30), **more: object
) -> bytes:
    """Return an image."""
    written = io.BytesIO()
    Image.new("RGB", size, "teal").save(written, kind, **more)
    return written.getvalue()


def photo_with_place() -> bytes:
    """Return a photo that tells where it was taken, and is to be turned."""
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    exif[0x010E] = "taken in rue de Rivoli"
    return picture("JPEG", exif=exif)


def pixel_bomb(side: int = 30_000) -> bytes:
    """Return a small PNG that claims to have very many pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        whole = kind + data
        return (
            struct.pack(">I", len(data)) + whole + struct.pack(">I", zlib.crc32(whole))
        )

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    data = zlib.compress(b"\0" * 100_000)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", data)
        + chunk(b"IEND", b"")
    )


def archive(*names: str, encrypted: bool = False, content: bytes = b"x") -> bytes:
    """Return a ZIP archive; an encrypted one has the mark of it."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as opened:
        for name in names:
            opened.writestr(name, content)
    whole = bytearray(written.getvalue())
    if encrypted:
        whole[6] |= 1
    return bytes(whole)


def form(
    name: str, content: bytes, *, field: str = "file", **fields: str
) -> tuple[bytes, dict[str, str]]:
    """Return the body of a form with a file, and its `Content-Type`."""
    end = "wall"
    begin = f"--{end}\r\nContent-Disposition: form-data; name="
    parts = [
        f'{begin}"{key}"\r\n\r\n{value}\r\n'.encode() for key, value in fields.items()
    ]
    head = f'{begin}"{field}"; filename="{name}"\r\nContent-Type: text/plain\r\n\r\n'
    whole = b"".join([*parts, head.encode(), content, f"\r\n--{end}--\r\n".encode()])
    return whole, {"Content-Type": f"multipart/form-data; boundary={end}"}
