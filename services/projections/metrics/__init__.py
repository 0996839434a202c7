"""The read model `metrics`: what is counted and measured for any past period."""
