"""The gate: the run of tests that decides what lands, and its narrow second look."""
