"""Files in and out: MOTChallenge text, videos and images."""
