"""What a user of the exchange imports, and the `wellhead` command line."""
