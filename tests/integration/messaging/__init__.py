"""The relay, the readers, the streams: with real servers, and their deaths."""
