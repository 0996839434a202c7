"""Reports of users over the API: the form, mails, receipts, links in mails."""
