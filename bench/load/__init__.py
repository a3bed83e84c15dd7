"""Load on loopback, bounded in count and time: closed loop (wrk), open loop, idle connections."""
