"""Mail that asks users about their closed incident, and reminds them once."""
