"""The projections, rule by rule."""
