"""The read model `queue`: one row for each incident, by urgency, with counts."""
