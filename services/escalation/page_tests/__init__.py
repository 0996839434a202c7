"""Tests of people's pages: over which methods they go, and the result of each."""
