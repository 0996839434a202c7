"""The read model `queue`: one row an incident, most urgent first, counted."""
