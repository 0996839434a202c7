"""What the desk has promised, to whom, and who answers: the document and its terms.

Pure: text in, values out. Each applied document is an event, kept for ever, and its
number in the log is the policy version decisions name. Give a new field a default and
never a new meaning to an old one: every document ever applied must stay readable.
"""
