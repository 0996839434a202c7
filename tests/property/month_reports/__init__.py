"""Month reports, whatever people do in which order."""
