"""Rows in SQLite."""
