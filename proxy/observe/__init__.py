"""What the product shows of itself: metrics and the access log."""
