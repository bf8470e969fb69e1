"""What a network looks at, and how much of that is evidence."""
