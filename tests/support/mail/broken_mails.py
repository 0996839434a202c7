"""Mails that no program should write, and some do: each is one mail among others."""

from collections.abc import Mapping

_SENDER = "From: costa@valmont.example\n"
_NESTED = "".join(
    f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n" for n in range(2_000)
)

_TEXTS: Mapping[str, str] = {
    "comments in From": f"From: {'(' * 1_000}\n\nHello",
    "closed comments in From": f"From: {'(' * 9_000}{')' * 9_000} a@b.example\n\nHello",
    "comments in Sender": f"Sender: {'(' * 1_000}\n\nHello",
    "comments beside a sender": f"{_SENDER}From: {'(' * 1_000}\n\nHello",
    "comments in To": f"{_SENDER}To: {'(' * 1_000}\n\nHello",
    "comments in References": f"{_SENDER}References: {'(' * 5_000}\n\nHello",
    "comments in Date": f"{_SENDER}Date: {'(' * 5_000}\n\nHello",
    "comments in Content-Type": f"{_SENDER}Content-Type: {'(' * 1_900}\n\nHello",
    "open angles": f"From: {'<' * 10_000}\n\nHello",
    "open quote": f'From: "{chr(92) * 9_999}\n\nHello',
    "groups of groups": f"From: {'a:' * 9_000}\n\nHello",
    "nested multiparts": f"{_SENDER}{_NESTED}\nHello",
    "nested messages": _SENDER + "Content-Type: message/rfc822\n\n" * 2_000 + "Hello",
    "long boundary": f"{_SENDER}Content-Type: multipart/mixed; boundary={'b' * 10_000}",
    "unknown encoding": f"{_SENDER}Content-Transfer-Encoding: x-none\n\nHello",
    "long encoded word": f"{_SENDER}Subject: =?utf-8?q?{'=C3=A9' * 5_000}?=\n\nHello",
    "wrong encoded word": f"{_SENDER}Subject: =?x-none?b?{'%' * 500}?=\n\nHello",
    "year 99999": f"{_SENDER}Date: Mon, 30 Jun 99999 08:07:00 +9999\n\nHello",
    "null characters": "From: a\0b@valmont.example\nSubject: \0\n\n\0",
    "header alone": _SENDER,
    "no header": "Hello",
    "many parameters": f"{_SENDER}Content-Disposition: a{'; name*0*=x' * 900}",
}
BROKEN: Mapping[str, bytes] = {
    name: text.replace("\n", "\r\n").encode("latin-1") for name, text in _TEXTS.items()
} | {
    "raw bytes": b"From: \xff\xfe <\xe9@\xc3>\r\nSubject: \x80\x81\r\n\r\n\xff\x00",
    "surrogates": b"From: =?utf-8?q?=ED=A0=80?= <a@b.example>\r\n\r\n\xed\xa0\x80",
}
"""The bytes of each, by what is wrong with it."""
