"""Data packages and schema files of Microsoft's Configuration Migration Tool (CMT), read and written as streams.

Entity, field and record are the format's own words and stay in here.
"""
