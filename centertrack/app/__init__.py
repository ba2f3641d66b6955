"""What is done with a network: sources tracked into files, and the demonstration."""
