"""The modern billing core: what the legacy application is being strangled into.

Each feature is a folder with the same files, read in this order:

- `domain`      the values and the arithmetic; pure: no SQL, no clock, no socket
- `tables`      the columns; what migrations and the data tools also read
- `repository`  every SQL statement of the feature, rows in and domain values out
- `service`     what can be done; decides with `domain`, acts through `repository`, never commits
- `schemas`     how the feature is spelt under /v1
- `endpoints`   the requests of /v1
- `tasks`       what happens without a request, where there is such a thing
- `flow`        what takes several transactions, with the world outside between them

Features: `plans`, `users`, `subscriptions`, `billing`, `payments`, `events`, `monitoring`.
`compat` answers the legacy-shaped face over the same services. `infra` is what a feature stands on.
`app` composes.
"""
