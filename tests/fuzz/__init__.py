"""The fuzzer: whatever bytes come, from clients or upstreams, the promises of docs/http.md hold.

    python -m tests.fuzz requests                     a million inputs under atheris
    python -m tests.fuzz exchange --seconds 600       ten minutes
    python -m tests.fuzz exchange .run/fuzz/exchange/crash-…      replay what was found
    python -m tests.fuzz exchange --distil            keep what adds coverage to the corpus

**Targets** (`targets/`) are plain functions `one(data)` that raise when a promise is broken, so
that everything can drive them: atheris with coverage, chance alone (`engine.plain`), hypothesis
(tests/unit/proxy/wire/test_agreement.py), and the replay of the corpus in every test run.

    requests  bytes of a client      same verdict in any split; h11 and llhttp read what we wrote as
                                     what we understood: one Host, one framing, nothing of one hop
    answers   bytes of an upstream   likewise, down to the client of HTTP/1.1 and of HTTP/1.0
    chunks    a chunked body         as a second, plain reading of the RFC
    paths     a request target       as a second, slow normalisation; normal stays normal
    fields    a line, or a number    as the grammar, to the letter
    exchange  a script of both       upstreams saw what clients asked, once; clients read their own
              (`play.py`)            answers, whole or visibly cut; then nothing is left

**When a run finds something** it ends, and leaves the input in `.run/fuzz/TARGET/crash-…`. Mend the
code, add a unit test where the fault was, and move the input into `corpus/TARGET/` under a name
that says what it is; `found-…` files are what adds coverage, and `--distil` replaces them.

**Reading order**: targets, witnesses (the other parsers), splits, play, mutate, seeds, engine.
"""
