"""What formats have in common: fields, instants, severities, keys."""
