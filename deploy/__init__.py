"""How Cutover and its worked case are set up and started: the local stack, containers, set-up."""
