"""The watcher's rules, each a sentence."""
