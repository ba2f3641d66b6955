"""Where training and test images come from: one file a format, and scenes drawn by the computer."""
