"""What `tokentail validate` looks at."""
