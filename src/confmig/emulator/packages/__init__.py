"""Environments that are made from data packages."""
