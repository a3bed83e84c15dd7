"""One module per revision, named vNNNN_what_it_does."""
