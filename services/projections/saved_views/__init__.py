"""Saved views of the queue: preferences of people, private or shared."""
