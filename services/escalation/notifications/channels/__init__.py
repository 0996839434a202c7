"""Channels out of the desk, a module each: mail, posts, chat, push, SMS and calls."""
