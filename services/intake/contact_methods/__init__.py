"""How people are reached: commands on contact methods and notification rules."""
