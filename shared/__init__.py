"""Code that every service may use: events and their meaning, log, subjects, time.

Rules are private to the service that owns a stream; nothing here makes decisions.
"""
