"""Half-empty tables in files: read with the place of every mistake, and written."""
