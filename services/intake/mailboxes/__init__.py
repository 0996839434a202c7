"""Mailboxes: one elected process reads each over IMAP and takes its mails."""
