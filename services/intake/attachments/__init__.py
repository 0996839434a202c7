"""Files attached to incidents: by people, with mails and with the report form."""
