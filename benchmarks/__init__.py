"""Measurements: every accuracy or speed statement of this project comes from a command in here."""
