"""Month reports as pages show them."""
