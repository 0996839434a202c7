"""What the formats share: fields, instants, severities and keys."""
