#!/bin/sh
# Makes every secret of the composition once, into one volume for each group of services that
# shares it. What exists is kept: databases know their passwords.
set -eu

random() { head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n'; }

secret() { # secret FILE VALUE
    [ -s "$1" ] || printf '%s' "$2" >"$1"
    chmod 0444 "$1" # read by the services' own accounts; the volumes are mounted nowhere else
}

secret /secrets/legacy/root_password "$(random)"
secret /secrets/legacy/password "$(random)"
secret /secrets/modern/password "$(random)"
secret /secrets/modern/secret_key "$(random)"
secret /secrets/legacy/processor_key "sk_test_legacy_$(random)"
secret /secrets/modern/processor_key "sk_test_modern_$(random)"
secret /secrets/admin/token "$(random)"
secret /secrets/shadow/key "$(random)"

legacy=$(cat /secrets/legacy/password)
modern=$(cat /secrets/modern/password)
secret /secrets/legacy/database_url "mysql://legacy:$legacy@mysql:3306/legacy_billing"
secret /secrets/modern/database_url "postgresql+asyncpg://modern:$modern@postgres:5432/modern_billing"
