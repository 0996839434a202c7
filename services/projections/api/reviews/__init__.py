"""Reviews after incidents: shown, listed, and as documents to print."""
