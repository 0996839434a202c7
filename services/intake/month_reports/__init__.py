"""Takes comments on month reports of clients, approves them and publishes them."""
