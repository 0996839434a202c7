"""Rules, in the words of the rule: given, when, then."""
