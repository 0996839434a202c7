"""Keys with which monitoring systems send their signals."""
