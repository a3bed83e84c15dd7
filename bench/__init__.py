"""Side by side with the peers: `python -m bench NAME` measures ours and theirs in one run.

Each bench starts what it needs, alternates between the products, prints a table, and as its last
line one JSON object with the ratios (ours divided by the peer's) and the figures behind them.
"""
