"""What a mended mapping would make of what was received: a dry run over the past."""
