"""Laws that hold for any policy, calendar and rotation."""
