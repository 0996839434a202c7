"""Health, metrics, log lines and the dead man's switch of a process."""
