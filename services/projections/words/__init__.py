"""The read model `words`: keyed hashes of the words of records, for searches."""
