"""One file a command; each reads top to bottom as the product's sentence."""
