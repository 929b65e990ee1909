"""What stands against doing the work at all, found before anything is planned or written."""
