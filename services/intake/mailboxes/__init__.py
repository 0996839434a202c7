"""Mailboxes: one process reads each over IMAP, and takes its mails as letters."""
