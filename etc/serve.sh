#!/usr/bin/env bash
#
# serve.sh SITE: brings a site up to date with what is built and runs its worker and
# lighttpd in the foreground, as the calling user, until a signal comes. run.sh ends in
# this script. DROPSTREAM_PORT and DROPSTREAM_BIND count as for the programs.
#
# Invariants: one of these for a site at a time; nothing that it started is left behind.

set -euo pipefail
unset CDPATH

readonly STOP_WAIT_DS=100 # tenths of a second between TERM and KILL

port='' bind='' tls_pem='' auth='' url='' lighttpd_pid='' worker_pid='' stopping=''

say() { printf '%s\n' "$*"; }
complain() { printf 'run.sh: %s\n' "$*" >&2; }
die() {
    complain "$*"
    exit 1
}
is_root() { [[ $EUID -eq 0 ]]; }

is_loopback() { [[ $1 == 127.* || $1 == ::1 ]]; }

# An IPv6 address goes in brackets in a URL.
bracketed() { if [[ $1 == *:* ]]; then printf '[%s]' "$1"; else printf '%s' "$1"; fi; }

# Where a listener on all addresses is met from this machine.
near() {
    case $1 in 0.0.0.0) printf 127.0.0.1 ;; ::) printf ::1 ;; *) printf '%s' "$1" ;; esac
}

# True if something accepts connections on our address.
answers() {
    # shellcheck disable=SC2016 # expanded by the inner shell
    timeout 1 bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$(near "$bind")" "$port" 2>/dev/null
}

# The lock is held by this script alone, so that it ends with it, however it ends.
take_lock() {
    mkdir -p "$site/run"
    exec {lock}<>"$site/run/run.lock" || die "cannot write $site/run/run.lock"
    if ! flock -n "$lock"; then
        read -r url <&"$lock" || url='an address that it has not told yet'
        die "already running at $url"
    fi
}

# Fills in what counts here, from the environment and the site's settings.
read_settings() {
    local settings scheme=http
    settings=$("$site/bin/dropstream-worker" --site "$site" --get port,bind,tls_pem,auth) ||
        die "the settings are not right"
    { read -r port; read -r bind; read -r tls_pem; read -r auth; } <<<"$settings"
    [[ -z $tls_pem ]] || scheme=https
    url="$scheme://$(bracketed "$(near "$bind")"):$port/"
}

check_tls() {
    [[ -n $tls_pem ]] || return 0
    [[ -r $tls_pem ]] || die "tls_pem: $(id -un) cannot read $tls_pem"
    printf 'server.document-root = "/"\nserver.modules = ("mod_openssl")\n' |
        lighttpd -tt -f - >/dev/null 2>&1 ||
        die "tls_pem needs lighttpd's module for OpenSSL: apt-get install lighttpd-mod-openssl"
}

check_address() {
    local first_free=/proc/sys/net/ipv4/ip_unprivileged_port_start
    if ! is_root && [[ -r $first_free && $port -lt $(<"$first_free") ]]; then
        die "port $port: ports below $(<"$first_free") are for root alone; take another with --port"
    fi
    ! answers ||
        die "port $port on $bind is taken; choose another with --port"
}

say_who_gets_in() {
    [[ $auth != none ]] ||
        complain "warning: nobody has to sign in (auth = none): whoever gets to $bind, by this machine or through a proxy, owns the site"
    is_loopback "$bind" || [[ -n $tls_pem ]] ||
        complain "warning: what is sent to $bind can be read on its way, passwords too: set tls_pem, or listen on 127.0.0.1 behind a proxy that has TLS"
}

# As long as nobody is a user, whoever has this link becomes the owner.
offer_set_up() {
    local link
    link=$("$site/bin/dropstreamctl" --site "$site" setup-link --if-needed --url "$url") ||
        return 0
    [[ -z $link ]] || say "Set up: $link"
    [[ -z $link || $(near "$bind") == "$bind" ]] ||
        say "(elsewhere than on this machine: with its name in place of $(near "$bind"))"
}

# Each program gets its own session, so that Ctrl-C reaches it through this script
# alone, and a TERM from the kernel if this script is killed.
start_lighttpd() {
    (
        exec {lock}>&- </dev/null >>"$site/log/lighttpd.log" 2>&1
        exec setsid setpriv --pdeathsig TERM --no-new-privs \
            "$site/bin/lighttpd.sh" "$site"
    ) &
    lighttpd_pid=$!
}
start_worker() {
    (
        exec {lock}>&- </dev/null 2>>"$site/log/worker.log"
        exec setsid setpriv --pdeathsig TERM --no-new-privs \
            "$site/bin/dropstream-worker" --site "$site" --live
    ) &
    worker_pid=$!
}

is_alive() { kill -0 "$1" 2>/dev/null; }

# Prints the living processes of a session, one a line.
session_pids() {
    local stat pid rest state session
    for stat in /proc/[0-9]*/stat; do
        read -r rest <"$stat" || continue
        pid=${rest%% *} rest=${rest##*) }
        # state, parent, group, session
        read -r state _ _ session _ <<<"$rest"
        [[ $session -ne $1 || $state == Z ]] || printf '%s\n' "$pid"
    done 2>/dev/null
}

# Sends a signal to every process of a session; false if there was none.
signal_session() {
    local -a pids
    mapfile -t pids < <(session_pids "$2")
    [[ ${#pids[@]} -gt 0 ]] && kill "-$1" "${pids[@]}"
}

# First the two, who stop their own children in good order; a handler may outlive its
# lighttpd, and ffmpeg its worker, so then whoever is left of their sessions.
stop_all() {
    local pid tenths=0
    trap '' INT TERM HUP
    kill -TERM "$lighttpd_pid" "$worker_pid" || true
    for pid in "$lighttpd_pid" "$worker_pid"; do
        while is_alive "$pid" && [[ $((tenths++)) -lt STOP_WAIT_DS ]]; do sleep 0.1; done
    done
    for pid in "$lighttpd_pid" "$worker_pid"; do
        ! signal_session TERM "$pid" || sleep 0.5
        signal_session KILL "$pid" || true
    done
    wait
    : >"$site/run/run.lock"
} 2>/dev/null

# What to do when one of the two has ended without being asked to.
report_end() {
    local pid=$1 status=$2 name=worker
    [[ $pid != "$lighttpd_pid" ]] || name=lighttpd
    complain "$name ended by itself (status $status); the end of $site/log/$name.log:"
    tail -c +"$((${log_start[$name]} + 1))" "$site/log/$name.log" | tail -n 15 >&2
    stop_all
    exit 1
}

# A loader that may not or cannot load it goes on without a word but in lighttpd's log.
check_address_limit() {
    ! grep -q '^LD_PRELOAD=' "$site/etc/lighttpd.env" ||
        grep -qs address_limit.so "/proc/$lighttpd_pid/maps" ||
        complain "warning: one address can have all connections: bin/address_limit.so is not loaded, see $site/log/lighttpd.log"
}

# Waits until lighttpd accepts connections, has ended, or 5 s are over.
wait_for_lighttpd() {
    local tenths=0
    while [[ -z $stopping && $((tenths++)) -lt 50 ]] && is_alive "$lighttpd_pid"; do
        ! answers || return 0
        sleep 0.1
    done
}

serve() {
    local status=0 ended='' log
    umask 077
    [[ -w $site ]] || die "$site is not writable for $(id -un)"
    take_lock
    etc/install.sh build "$site"
    read_settings
    check_tls
    check_address
    say_who_gets_in
    printf '%s\n' "$url" >"$site/run/run.lock"

    declare -A log_start
    for log in worker lighttpd; do
        : >>"$site/log/$log.log"
        log_start[$log]=$(stat -c %s "$site/log/$log.log")
    done
    # The signal may come just before the wait below, which then has to end as well.
    trap 'stopping=1; kill -TERM $worker_pid $lighttpd_pid 2>/dev/null || true' INT TERM HUP
    start_worker
    start_lighttpd
    wait_for_lighttpd
    if [[ -z $stopping ]] && is_alive "$worker_pid" && is_alive "$lighttpd_pid"; then
        say "dropstream runs at $url  (site: $site; Ctrl-C stops it)"
        check_address_limit
        offer_set_up
    fi
    while [[ -z $stopping ]]; do
        status=0
        wait -n -p ended "$lighttpd_pid" "$worker_pid" 2>/dev/null || status=$?
        [[ -n $stopping || -z ${ended:-} ]] || report_end "$ended" "$status"
    done
    stop_all
    say stopped
}

[[ $# -eq 1 && $1 == /* ]] || die "usage: serve.sh SITE, an absolute path"
readonly site=$1
cd "$(dirname "${BASH_SOURCE[0]}")/.."
serve
