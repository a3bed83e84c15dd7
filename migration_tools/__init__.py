"""Moves the billing data from MariaDB or MySQL to PostgreSQL, and proves that both hold the same.

Reading order: `mapping` says which column becomes which, `convert` how one value becomes another,
`data_migrator` in which steps. `cursor` extracts, `writer` loads, `verify` compares both databases
through `fingerprint` and `spelling` without using the converters, so an error in one of the two
shows in the other. Pure are `mapping`, `convert`, `fingerprint`, `schema`, `report`, `addresses`.
"""
