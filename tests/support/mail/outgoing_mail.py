"""A letter to try channels with."""

from datetime import UTC, datetime

from services.escalation.notifications.channels.mail_message import Mailbox, MailMessage
from shared.i18n.messages import Message

DESK = Mailbox("desk@desk.example", "Centre de services")
LEFEVRE = Mailbox("lefevre@valmont.example", "Mme Lefèvre")
MESSAGE = Message(
    "Votre demande est enregistrée : portail en panne",
    "Bonjour,\n\nVotre référence : INC-000042 — « ça ne marche plus ! »\n",
)
AT = datetime(2025, 6, 30, 8, 4, tzinfo=UTC)


def a_letter(
    *,
    key: str = "INC-000042.3.receipt.lefevre",
    to: Mailbox = LEFEVRE,
    sender: Mailbox = DESK,
    message: Message = MESSAGE,
) -> MailMessage:
    """Return a letter to Mme Lefèvre, but for what is given."""
    return MailMessage(key, "INC-000042", sender, to, message, AT)
