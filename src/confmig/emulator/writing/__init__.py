"""Rows, files and references written by the service's rules."""
