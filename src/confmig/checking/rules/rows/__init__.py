"""Rules about the rows of a package, by their texts."""
