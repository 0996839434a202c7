"""Commands about records, of people and of the desk itself: decided in batches."""
