#!/usr/bin/env bash
# Runs every test, two projects at a time, each of the two lanes against a PostgreSQL server of its own, and closes with one
# line over all of them. As root it installs PostgreSQL from Debian where it is missing. CREDBROKER_TEST_POSTGRES names a
# server to use instead (a superuser's connection string); that one is left as it is, and there is but one lane.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1
# Without ICU, which nothing here needs, the SDK does not even start.
/sbin/ldconfig -p 2>/dev/null | grep -q libicuuc || export DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1
# No build process outlives this run.
export MSBUILDDISABLENODEREUSE=1 DOTNET_CLI_USE_MSBUILD_SERVER=0

# What takes longest comes first, so that no lane is left with it at the end.
slow="Server Providers.Azure Core Providers.AwsSts Providers.Vault EntityFrameworkCore Providers.PostgreSql"
work="" bin="" failed=0

as_server() { # Servers refuse to run as root.
  if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi
}

finish() {
  trap - EXIT INT TERM
  local passed=0 skipped=0 good bad left server lane lanes taken
  if [ -n "$work" ]; then
    lanes=$(jobs -p)
    for lane in $lanes; do kill -- "-$lane" 2>/dev/null; done
    wait
    # A server that a test has started may go on for a while, or stand still (SIGSTOP): whatever is left of a lane ends now.
    for lane in $lanes; do kill -KILL -- "-$lane" 2>/dev/null; done
    for server in "$work"/server.*/; do
      [ -f "$server/data/postmaster.pid" ] && (cd / && as_server "$bin/pg_ctl" -D "$server/data" -m immediate -w stop >/dev/null 2>&1)
    done
    for taken in "$work"/taken/*/; do # Whatever was begun and has no result has failed.
      [ ! -d "$taken" ] || [ -f "$work/results/$(basename "$taken").count" ] || failed=$((failed + 1))
    done
    while read -r good bad left; do
      passed=$((passed + good)) failed=$((failed + bad)) skipped=$((skipped + left))
    done < <(cat "$work"/results/*.count 2>/dev/null)
    rm -rf "$work"
  fi
  echo "$passed passed, $failed failed, $skipped skipped"
  [ "$failed" = 0 ] && [ "$passed" -gt 0 ]
  exit $?
}

give_up() {
  echo "$*" >&2
  failed=$((failed + 1))
  finish
}

find_postgres() {
  local folder tool
  IFS=: read -ra folders <<<"$PATH"
  while read -r folder; do
    for tool in initdb postgres pg_ctl; do [ -x "$folder/$tool" ] || continue 2; done
    bin=$folder
    return 0
  done < <(printf '%s\n' "${folders[@]}"; printf '%s\n' /usr/lib/postgresql/*/bin | sort -rV)
  return 1
}

install_postgres() {
  [ "$(id -u)" = 0 ] || give_up "PostgreSQL is missing, and only root can install it. Run: sudo apt-get install postgresql
Or set CREDBROKER_TEST_POSTGRES to a superuser's connection string, such as Host=127.0.0.1;Username=postgres;Password=...;Database=postgres."
  command -v apt-get >/dev/null || give_up "PostgreSQL is missing, and there is no apt-get to install it with: install it, so that initdb is on the path."
  echo "Installing PostgreSQL."
  export DEBIAN_FRONTEND=noninteractive
  # The package would make and start a server of its own: only its programs are wanted.
  apt-get update -qq && apt-get install -qq -y --no-install-recommends postgresql-common >/dev/null \
    && sed -i 's/^#\?create_main_cluster.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf \
    && apt-get install -qq -y --no-install-recommends postgresql >/dev/null || give_up "PostgreSQL could not be installed."
}

start_postgres() { # start_postgres <lane>
  [ -n "$bin" ] || find_postgres || { install_postgres && find_postgres; } || give_up "PostgreSQL is installed, but initdb, postgres and pg_ctl are in no folder that was looked in."
  local server=$work/server.$1 password attempt port
  password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  mkdir "$server"
  echo "$password" >"$server/password"
  if [ "$(id -u)" = 0 ]; then chmod 711 "$work"; chown -R postgres "$server"; fi
  (cd / && as_server "$bin/initdb" -D "$server/data" -U postgres -A scram-sha-256 --pwfile="$server/password" -E UTF8 --locale=C --no-sync >"$work/initdb.log" 2>&1) \
    || { cat "$work/initdb.log" >&2; give_up "initdb failed."; }
  for attempt in 1 2 3 4 5; do
    port=$((20000 + RANDOM % 12000))
    # Nothing here outlives the run, so nothing is made durable.
    if (cd / && as_server "$bin/pg_ctl" -D "$server/data" -l "$server/log" -w -t 60 -o "-c listen_addresses=127.0.0.1 -c port=$port -c unix_socket_directories=$server \
        -c max_connections=200 -c max_prepared_transactions=20 -c fsync=off -c full_page_writes=off -c timezone=UTC" start >/dev/null 2>&1 </dev/null); then
      echo "$("$bin/postgres" --version) on 127.0.0.1:$port, for this run."
      servers[$1]="Host=127.0.0.1;Port=$port;Username=postgres;Password=$password;Database=postgres"
      return
    fi
  done
  cat "$server/log" >&2
  give_up "PostgreSQL did not start, tried $attempt times."
}

count() { # count <trx> <attribute>
  sed -n "s/.*<Counters [^>]*\b$2=\"\([0-9]*\)\".*/\1/p" "$1" | head -1
}

run_tests() { # run_tests <project file>
  local name trx status total executed good bad
  name=$(basename "$1" .csproj)
  trx=$work/results/$name.trx
  dotnet test "$1" --no-build --verbosity quiet --logger "console;verbosity=minimal" --logger "trx;LogFileName=$name.trx" --results-directory "$work/results" \
    --blame-hang-timeout 5m --blame-hang-dump-type none >"$work/$name.log" 2>&1
  status=$?
  if [ ! -f "$trx" ]; then
    cat "$work/$name.log"
    echo "$name: no result"
    echo "0 1 0" >"$work/results/$name.count"
    return
  fi
  total=$(count "$trx" total) executed=$(count "$trx" executed) good=$(count "$trx" passed)
  # A run that broke down without a failing test, or that had none, has failed all the same.
  bad=$((executed - good))
  if { [ "$status" != 0 ] || [ "$total" = 0 ]; } && [ "$bad" = 0 ]; then bad=1; fi
  [ "$bad" = 0 ] || cat "$work/$name.log"
  echo "$name: $good passed, $bad failed, $((total - executed)) skipped, in $SECONDS s"
  echo "$good $bad $((total - executed))" >"$work/results/$name.count"
}

run_lane() { # run_lane <projects>: takes one after the other of those that no other lane has taken
  local project
  for project in "$@"; do
    mkdir "$work/taken/$(basename "$project" .csproj)" 2>/dev/null || continue
    (SECONDS=0; run_tests "$project")
  done
}

trap finish EXIT
trap 'failed=$((failed + 1)); finish' INT TERM
work=$(mktemp -d "${TMPDIR:-/tmp}/credbroker-tests-XXXXXX")
mkdir "$work/results" "$work/taken"
command -v dotnet >/dev/null || give_up "There is no dotnet on the path: install the .NET SDK that global.json names."
servers=()
if [ -n "${CREDBROKER_TEST_POSTGRES:-}" ]; then servers=("$CREDBROKER_TEST_POSTGRES"); else start_postgres 0 && start_postgres 1; fi
export CREDBROKER_TEST_REQUIRE_POSTGRES=1
bash tests/cedar-oracle.sh >/dev/null || echo "The tests that compare with the official Cedar implementation are skipped."
# One compiler for all projects starts once, and is ended again.
dotnet build CredBroker.sln --verbosity quiet --nologo -clp:NoSummary -p:UseSharedCompilation=true || give_up "The build failed."
dotnet build-server shutdown --vbcscompiler >/dev/null 2>&1
projects=()
for name in $slow; do projects+=("tests/CredBroker.$name.Tests/CredBroker.$name.Tests.csproj"); done
projects+=(tests/*.Tests/*.csproj)
set -m # Each lane is a process group, which can be ended as a whole.
for server in "${servers[@]}"; do CREDBROKER_TEST_POSTGRES=$server run_lane "${projects[@]}" & done
wait
finish
