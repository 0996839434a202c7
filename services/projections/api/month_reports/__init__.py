"""Month reports of clients: to write, approve, publish, and to read by a link."""
