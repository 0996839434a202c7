"""The page of the metrics of a period: numbers, charts, and the same as rows."""
