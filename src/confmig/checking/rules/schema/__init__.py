"""Rules about a schema alone."""
