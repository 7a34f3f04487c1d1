"""The slices' admin modules, gathered for Django."""
