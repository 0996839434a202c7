"""One box that finds incidents, people, services, pages and actions."""
