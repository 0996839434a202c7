"""From a signal to what it means for incidents, stage by stage. Pure."""
