"""The policy: the targets the desk has promised, to whom, and who is responsible.

Pure: text in, values out. Each applied document is an event, kept for ever, and its
number in the log is the policy version that decisions name. Give a new field a default
and never change the meaning of an old one: every applied document must stay readable.
"""
