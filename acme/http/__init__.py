"""HTTP ground that both sides share: strict input, problem documents, access tokens, routes, health."""
