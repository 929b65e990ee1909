"""Data packages and the model: read, written, compared, and refused where they are broken."""
