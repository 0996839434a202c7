"""Laws that hold for any history of incidents and their promises."""
