"""From stored documents to what clients see: pure functions, one module per resource."""
