"""Plain frozen data that every layer above shares: schemas, rows, values, what an environment offers."""
