"""Rules of shared, process_manager, without servers."""
