"""Laws that hold for any log and its read models."""
