"""Starts the command line: `python -m services`, or `permanence` where installed."""

from cli.app import main

if __name__ == "__main__":
    main()
