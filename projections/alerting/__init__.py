"""What tells people that the stream needs them: causes from a snapshot, a book of who was told, channels."""
