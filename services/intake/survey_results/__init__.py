"""Publishes the results of surveys, and follows the actions that they lead to."""
