"""Queries: OData, FetchXML and SQL, as statements over the store."""
