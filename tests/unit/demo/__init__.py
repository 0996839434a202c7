"""What the demo asks of itself before it plays."""
