"""What commands share: options, opening a state, errors in words, log lines."""
