"""How services take commands from people: subscriptions, refusals and repeats."""
