"""One report of what a command found or did, and the forms in which it is shown."""
