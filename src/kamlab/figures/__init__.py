"""Functions that return a matplotlib Figure, all in one style."""
