"""Text to terms, and questions about products to filters."""
