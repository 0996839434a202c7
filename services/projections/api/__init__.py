"""The API at which people read, command and audit; JSON over HTTP."""
