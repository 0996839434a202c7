"""What the screens show: brought about by commands, once for all of them."""
