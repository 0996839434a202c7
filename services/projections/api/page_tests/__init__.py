"""Tests of people's pages, as the log has them."""
