"""What leaves the desk: mail and signed webhooks, tried again until it is over."""
