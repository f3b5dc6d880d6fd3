#!/bin/sh
# Prints a Python that can make the virtual environment, or says in one line what is missing.

wanted='import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))'

for name in python3 python3.11 python3.12 python3.13 python3.14 python; do
    if "$name" -c "$wanted" >/dev/null 2>&1; then
        echo "$name"
        exit 0
    fi
done

echo "Python 3.11 or newer, with its venv module, is needed and was not found (on Debian: apt-get install python3-venv)." >&2
exit 1
