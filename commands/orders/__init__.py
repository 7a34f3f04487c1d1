"""Orders from placing to shipping, and past orders and returns of other systems."""
