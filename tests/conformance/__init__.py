"""Programs that others wrote for the Web API, run against the emulator as they are."""
