"""What several commands share: options, outputs, the terminal."""
