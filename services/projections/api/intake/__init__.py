"""User reports over the API: the form, mails, receipts and links in mails."""
