"""Categories and products with their variants and prices."""
