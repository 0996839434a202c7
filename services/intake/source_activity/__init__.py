"""What each source sent lately, as `gate/activity.py` counts it: the endpoint."""
