"""Business logic of the environment: what is assumed of Microsoft's for Journeys, and plug-ins that refuse."""
