"""A Dataverse environment over HTTP and SQLite, for demos and tests; imports nothing of the rest of confmig."""
