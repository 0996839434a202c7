"""A message, ready to be read: plain text, whatever carries it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Message:
    """One line of subject, without a reference to the incident; a body that has it."""

    subject: str
    body: str
