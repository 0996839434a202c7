"""Laws that hold for whatever monitoring systems send."""
