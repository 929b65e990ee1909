"""From what a package wants and what an environment holds to the list of changes. Decides everything, sends nothing."""
