"""What is stored and asked, as values: points, periods, questions, generations. Pure."""
