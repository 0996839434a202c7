"""Starts the command line: `python -m services`, or `permanence` where installed."""

from services.command_line import main

if __name__ == "__main__":
    main()
