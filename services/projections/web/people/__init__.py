"""The screens for people: their rights, sessions, import, removal and the review."""
