"""The screens of reviews: one to write, one to read and print, and the lists."""
