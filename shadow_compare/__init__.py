"""Whether two answers to one request say the same thing: mirror, compare, store, report.

Reading order: `compare` (the pipeline) over `normalize`, `rules`, `equivalence`, `difference`;
`verdict` and `signature` (what comes out and how it is grouped); `worker` (the process around it)
with `sides` (who is asked), `examine` (one capture), `memory` over `noise` and `correspondence`
(what was learnt) and `tally` (what is told);
`store` and `report` (what is kept and how it is read). This package never imports `proxy`.
"""
