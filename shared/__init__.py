"""What every service may know: events and their meaning, the log, subjects, time.

Rules are private to the service that owns a stream; nothing here decides.
"""
