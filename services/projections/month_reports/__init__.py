"""The figures of month reports, counted from the metrics."""
