"""Requests and replies: their forms, paths, preferences and batches."""
