"""Fuzzing of the readers: ``make fuzz``. What it found is kept in findings/ and read again by each test run."""
