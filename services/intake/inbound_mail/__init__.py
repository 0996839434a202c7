"""Letters: what people write, by mail or in the form, becomes a contact."""
