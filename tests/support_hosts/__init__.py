"""Several proxy hosts with one Redis and one PostgreSQL, and everything that can happen to them.

rooms     a network namespace each: a machine, as far as the network is concerned
lan       rooms on one switch, with wires that can be cut
servers   Redis, PostgreSQL and two applications in rooms of their own
host      `cutover serve` in a room, and what is done to it
watch     clients of every worker, who note by which version they were served
record    what was seen, and what was promised
judge     what must hold of a record, whatever has happened
drive     a seeded course of faults and commands
"""
