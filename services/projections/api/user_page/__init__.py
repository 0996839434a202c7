"""The page of a user: one incident and one person, by a link, without an account."""
