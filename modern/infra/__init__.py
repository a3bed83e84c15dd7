"""What the features stand on: settings, database, cache, jobs, logs, errors as answers."""
