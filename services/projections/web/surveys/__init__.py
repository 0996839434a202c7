"""The screens of surveys: results, what is published, and the actions that follow."""
