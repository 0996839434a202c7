"""The tables of what people may do: derived from their events, compared, mended."""
