"""What all pictures of a run have in common."""
