"""What the relay of intake does with the stream."""
