"""What the OpenAPI document of intake says of its doors; the routes are the code's."""
