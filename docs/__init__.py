"""The pages; those of the reference that can be are written by `docs.generate`."""
