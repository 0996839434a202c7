"""What machines send by themselves is told from what people write."""

import pytest

from services.intake.inbound_mail.parser import read_letter
from tests.support.mail.raw_mails import mail, written

DESK = "desk@permanence.example"


@pytest.mark.parametrize(
    ("headers", "because"),
    [
        ({"auto_submitted": "auto-replied"}, "Auto-Submitted"),
        ({"auto_submitted": "auto-generated; owner=x"}, "Auto-Submitted"),
        ({"precedence": "bulk"}, "Precedence"),
        ({"precedence": "Auto_Reply"}, "Precedence"),
        ({"x_autoreply": "yes"}, "x-autoreply"),
        ({"list_id": "<all.valmont.example>"}, "List-Id"),
        ({"return_path": "<>"}, "Return-Path"),
        ({"x_loop": DESK}, "X-Loop"),
        ({"sender": f"Desk <{DESK}>"}, "its own address"),
        ({"sender": "MAILER-DAEMON@mx.example"}, "mail server"),
        ({"sender": "postmaster@mx.example"}, "mail server"),
        ({"subject": "Réponse automatique : [INC-000001] Écran"}, "subject"),
        ({"subject": "Out of Office: back on Monday"}, "subject"),
        (
            {"message_id": f"<{'a' * 40}@permanence.example>", "idempotency_key": "k"},
            "wrote it itself",
        ),
    ],
)
def test_a_machine_is_told_by_its_mark(headers: dict[str, str], because: str) -> None:
    letter = read_letter(mail(**headers), DESK)

    assert letter.automatic is not None
    assert because in letter.automatic


def test_a_report_about_a_mail_is_told() -> None:
    head = (
        "From: mta@mx.example\n"
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b"
    )

    letter = read_letter(written(head, "--b\n\nundeliverable\n--b--"), DESK)

    assert letter.automatic is not None


@pytest.mark.parametrize(
    "headers",
    [
        {"auto_submitted": "no"},
        {"x_auto_response_suppress": "All"},
        {"precedence": "first-class"},
        {"subject": "Our out of office replies do not work"},
        {"x_loop": "somebody@else.example"},
        {"x_autoreply": "no"},
        {"return_path": "<costa@valmont.example>"},
    ],
)
def test_a_person_is_not_taken_for_a_machine(headers: dict[str, str]) -> None:
    assert read_letter(mail(**headers), DESK).automatic is None
