"""How fast the parts are, beside others where they are installed."""
