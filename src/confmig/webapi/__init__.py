"""The Dataverse Web API: sign-in, requests, metadata, queries and writes.

Entity, attribute, entity set and navigation property are the wire's own words and stay in here.
"""
