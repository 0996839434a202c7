"""Where mail is handed in, read from a URL."""

import pytest

from services.escalation.notifications.channels.mail import MailServer, mail_server


@pytest.mark.parametrize(
    ("url", "read"),
    [
        ("smtp://mx.example", MailServer("mx.example", 25, tls=False)),
        ("smtp://mx.example:2525/", MailServer("mx.example", 2525, tls=False)),
        ("smtps://mx.example", MailServer("mx.example", 465, tls=True)),
        (
            "smtp://desk:p%40ss%2Fw@mx.example",
            MailServer("mx.example", 587, tls=False, name="desk", password="p@ss/w"),
        ),
        (
            "smtps://desk%40a.example:x@mx.example:4650",
            MailServer(
                "mx.example", 4650, tls=True, name="desk@a.example", password="x"
            ),
        ),
        ("smtp://[::1]:25", MailServer("::1", 25, tls=False)),
    ],
)
def test_a_url_says_where_how_and_as_whom(url: str, read: MailServer) -> None:
    assert mail_server(url) == read


@pytest.mark.parametrize(
    "url",
    [
        "",
        "mx.example",
        "http://mx.example",
        "smtp://",
        "smtp://mx.example:port",
        "smtp://desk:secret@mx.example:99999",
        "smtp://mx.example/inbox",
    ],
)
def test_what_is_none_is_refused_with_an_example_and_without_its_secret(
    url: str,
) -> None:
    with pytest.raises(ValueError, match="smtp://name:password@host:port") as refused:
        mail_server(url)

    assert "secret" not in str(refused.value)


def test_a_password_does_not_show() -> None:
    assert "secret" not in repr(mail_server("smtp://desk:secret@mx.example"))


@pytest.mark.parametrize(
    ("url", "would_be_seen"),
    [
        ("smtp://desk:x@mx.example", True),
        ("smtp://desk:x@192.0.2.1", True),
        ("smtp://mx.example", False),
        ("smtp://desk:x@localhost", False),
        ("smtp://desk:x@127.0.0.1", False),
        ("smtp://desk:x@[::1]", False),
    ],
)
def test_a_password_leaves_this_machine_only_encrypted(
    url: str, would_be_seen: bool
) -> None:
    assert mail_server(url).secret_on_the_way is would_be_seen
