#!/usr/bin/env bash
# Two nodes and a PostgreSQL of their own under load, for MINUTES (60): a node is killed and frozen, PostgreSQL is killed, a role is
# suspended, again and again. Says each minute what it sees. Exit code 1 when memory grows, a promise did not hold or something is left.
#   tests/soak.sh [MINUTES [AGENTS]]
set -eu
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1
dotnet build tests/CredBroker.Soak -c Release --verbosity quiet --nologo -clp:NoSummary
exec dotnet tests/CredBroker.Soak/bin/Release/net10.0/CredBroker.Soak.dll "$@"
