"""Problems, changes and hand-overs over the API."""
