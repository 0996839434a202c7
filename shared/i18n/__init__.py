"""The texts that users and staff read, in all languages of the desk.

`say(notice, reader, fallback)` returns a `Message`. Pure: no clock, no store.
"""
