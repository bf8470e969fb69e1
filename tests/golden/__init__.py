"""Arrays that the pure functions once gave, and how they were made."""
