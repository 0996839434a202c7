"""One command on a fresh machine: servers from wheels, credentials, a supervisor.

Only development, tests and small single-machine desks need it; no service imports it.
"""
