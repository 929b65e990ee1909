"""What is known of a product, as data files: live states, tables that never move, presets."""
