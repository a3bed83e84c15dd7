"""Two DokuWikis behind the proxy: a comparison of an application that nobody here has written."""
