"""Month reports of clients, on a real log."""
