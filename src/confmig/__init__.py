"""confmig moves configuration data between Dataverse environments."""

__version__ = "0.1.0"
