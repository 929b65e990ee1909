"""What the environment knows of its tables."""
