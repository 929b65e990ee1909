"""From an environment's rows to the events of a package."""
