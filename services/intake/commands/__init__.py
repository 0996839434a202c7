"""Commands of people: received, decided in batches, recorded and answered."""
