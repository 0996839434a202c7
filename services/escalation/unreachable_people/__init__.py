"""People who were paged and have no verified contact method."""
