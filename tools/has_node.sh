#!/bin/sh
# Succeeds where a Node with npm is on the PATH that can run the style sheet compiler.

wanted='const [major, minor] = process.versions.node.split(".").map(Number);
process.exit(major > 20 || (major === 20 && minor >= 19) ? 0 : 1)'

command -v npm >/dev/null && node -e "$wanted" >/dev/null 2>&1
