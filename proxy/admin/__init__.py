"""The admin API and the console: how people and scripts see and steer the controller.

Reading order: `app` (what is mounted where), `api` (the endpoints), `guard` (who may ask),
`schemas` and `members` (requests in), `plain` (records out), `problems` (errors out),
`explain` (the decision for one request, step by step), `events` (live changes), `openapi`.
"""
