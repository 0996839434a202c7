"""Words that users and staff read, in each language the desk writes.

`say(notice, reader, fallback)` gives a `Message`. Pure: no clock, no store.
"""
