"""The bodies of commands, one class for each verb."""
