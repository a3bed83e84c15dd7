"""Where comparisons are kept: the database, its tables, and the store over them."""
