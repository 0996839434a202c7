"""What monitoring systems call and send to: over HTTP, and over NATS."""
