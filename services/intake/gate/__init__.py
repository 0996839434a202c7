"""The gate before the endpoints: authentication, networks, limits and signatures."""
