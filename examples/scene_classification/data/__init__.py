"""The scenes: where they come from, what is wrong with them, and how they are served."""
