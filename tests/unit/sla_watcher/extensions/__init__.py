"""Rules of sla watcher, extensions, without servers."""
