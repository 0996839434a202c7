"""Files attached to incidents, through intake and the API."""
