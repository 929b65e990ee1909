"""Where we run: a terminal, a log, a pipeline."""
