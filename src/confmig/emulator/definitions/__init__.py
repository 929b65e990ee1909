"""Environments that are defined in YAML."""
