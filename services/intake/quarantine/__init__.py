"""What could not be mapped: listed, tried again after a mending, or discarded."""
