"""Why people were paged, or were not."""
