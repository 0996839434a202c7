"""What is recorded of reads."""
