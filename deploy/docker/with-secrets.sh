#!/bin/sh
# Runs a command with NAME set to the content of the file that NAME_FILE names, for every such name:
# secrets come as files, the applications read variables.
set -eu
for name in $(env | sed -n 's/^\([A-Z][A-Z0-9_]*\)_FILE=.*/\1/p'); do
    file=$(printenv "${name}_FILE")
    value=$(cat "$file")
    export "$name=$value"
    unset "${name}_FILE"
done
exec "$@"
