"""What people may do: the rules of giving, and what an import changes."""
