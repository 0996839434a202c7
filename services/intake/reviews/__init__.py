"""The reviews after incidents: opened, written, published, and their actions."""
