"""External records: other systems tell what their releases and items are now."""
