"""The command line, `permanence`: one module for each group of commands."""
