"""The policies that were applied, and what changed between two of them."""
