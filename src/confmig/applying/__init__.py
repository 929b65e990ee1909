"""Carrying out a plan exactly, with the outcome of every change on record. Decides nothing."""
