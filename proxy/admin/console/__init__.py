"""The web console: what is happening, why, and how to stop it, as server-rendered pages.

Reading order: `views` (the routes), `pages` (what each page shows), `actions` (what each form
does), `render` (templates and their filters), then the pure parts: `wording` (numbers with units),
`sentences` (decisions in words), `attention` (what comes first), `sparkline`, `history`, `samples`
and `sidebyside` (two answers, line by line), `seal` (signed cookies and form tokens).
"""
