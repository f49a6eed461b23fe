#!/usr/bin/env bash
#
# run.sh: installs what is missing, builds dropstream and runs it in the foreground.
# `./run.sh --help` lists what it takes.
#
# Invariants: apt is touched only if a package is missing. Whatever runs for good
# (lighttpd, its handlers, the worker) runs as one user who is not root wherever such
# a user can reach the site.

set -euo pipefail
unset CDPATH

# package, or package:command where that command on PATH will do as well
readonly RUN_PACKAGES=(gcc:gcc make:make pkg-config:pkg-config libc6-dev libfcgi-dev
    libsqlite3-dev libjansson-dev libinih-dev nettle-dev libcrypt-dev libseccomp-dev
    zlib1g-dev lighttpd:lighttpd ffmpeg:ffmpeg util-linux:setpriv ca-certificates)
readonly TLS_PACKAGE=lighttpd-mod-openssl
readonly TEST_PACKAGES=(clang:clang libclang-rt-dev libcmocka-dev chromium:chromium
    sqlite3:sqlite3 "$TLS_PACKAGE" openssl:openssl)

port='' bind='' site=''

usage() {
    cat <<EOF_USAGE
Usage: ./run.sh [--port N] [--bind ADDRESS] [--site DIR]
       ./run.sh test

Installs the Debian packages that are missing, builds, lays out the site and runs
it until Ctrl-C.

  --port N         port of the web server, 1 to 65535 (8080)
  --bind ADDRESS   address it listens on, IPv4 or IPv6 (127.0.0.1)
  --site DIR       where everything is kept: videos, database, settings (./site)
  --help           this text

  test             installs what the tests need and runs them all

Without an option DROPSTREAM_PORT and DROPSTREAM_BIND count, then etc/dropstream.conf
in the site.
EOF_USAGE
}

say() { printf '%s\n' "$*"; }
complain() { printf 'run.sh: %s\n' "$*" >&2; }
die() {
    complain "$*"
    exit 1
}
misuse() {
    complain "$*"
    complain "./run.sh --help says what is possible"
    exit 2
}
is_root() { [[ $EUID -eq 0 ]]; }

# ---- packages ---------------------------------------------------------------

node_is_enough() {
    local version
    version=$(node --version 2>/dev/null) || return 1
    version=${version#v}
    [[ ${version%%.*} -ge 18 ]]
}

# Prints the packages of its arguments that are not there, one a line.
missing_packages() {
    local entry package program state
    for entry in "$@"; do
        package=${entry%%:*} program=''
        [[ $entry != *:* ]] || program=${entry#*:}
        state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || state=''
        [[ $state != installed ]] || continue
        [[ -z $program ]] || ! command -v "$program" >/dev/null || continue
        printf '%s\n' "$package"
    done
    node_is_enough || printf 'nodejs\n'
    command -v npm >/dev/null || printf 'npm\n'
}

# Runs a command as root; without a terminal sudo must not ask.
as_root() {
    if is_root; then
        "$@"
    elif [[ -t 0 ]]; then
        sudo "$@"
    else
        sudo -n "$@"
    fi
}

# Debian starts lighttpd on port 80 when it is installed; nobody asked for that.
keep_lighttpd_off() {
    policy=/usr/sbin/policy-rc.d
    if [[ -e $policy ]]; then
        policy=''
        return
    fi
    trap allow_services EXIT
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod 755 "$policy"
}
allow_services() {
    [[ -z ${policy:-} ]] || as_root rm -f "$policy"
    policy=''
    trap - EXIT
}

apt_install() {
    local -a env=(env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8)
    local lighttpd_is_new=''
    [[ " $* " != *' lighttpd '* ]] || lighttpd_is_new=1

    as_root "${env[@]}" apt-get update -qq || die "apt-get update failed: is there a network?"
    [[ -z $lighttpd_is_new ]] || keep_lighttpd_off
    as_root "${env[@]}" apt-get install -y -qq --no-install-recommends "$@" ||
        die "apt-get could not install the packages above"
    [[ -z $lighttpd_is_new ]] || allow_services
    if [[ -n $lighttpd_is_new && -d /run/systemd/system ]]; then
        as_root systemctl disable --now --quiet lighttpd.service
    fi
}

install_packages() {
    local -a missing
    command -v dpkg-query >/dev/null ||
        die "this is not Debian (no dpkg-query): see README.md for what has to be there"
    mapfile -t missing < <(missing_packages "$@")
    [[ ${#missing[@]} -gt 0 ]] || return 0
    if ! is_root && ! command -v sudo >/dev/null; then
        complain "Debian packages are missing, and installing them takes root. As root:"
        die "apt-get install --no-install-recommends ${missing[*]}"
    fi
    say "Installing Debian packages: ${missing[*]}"
    apt_install "${missing[@]}"
    node_is_enough || die "node 18 or newer is needed, this is $(node --version)"
}

# ---- users ------------------------------------------------------------------

# Sets the array named $1 to what runs a command as the user with uid $2, who can gain
# no privilege again.
user_command() {
    local -n command_of=$1
    local name gid home
    IFS=: read -r name _ _ gid _ home _ < <(getent passwd "$2")
    # shellcheck disable=SC2034 # it is the caller's
    command_of=(setpriv --reuid "$2" --regid "$gid" --init-groups --no-new-privs --
        env HOME="$home" USER="$name" LOGNAME="$name")
}

as_user() {
    local uid=$1
    local -a as=()
    shift
    [[ $uid -eq $EUID ]] || user_command as "$uid"
    "${as[@]}" "$@"
}

has_account() { getent passwd "$1" >/dev/null; }

# Whose files the build makes: a checkout stays its owner's, also under sudo.
builder_uid() {
    local owner
    owner=$(stat -c %u .)
    if is_root && [[ $owner -ne 0 ]] && has_account "$owner"; then
        printf '%s\n' "$owner"
    else
        printf '%s\n' "$EUID"
    fi
}

# The nearest folder of a path that exists.
existing_parent() {
    local dir=$1
    while [[ ! -d $dir ]]; do dir=$(dirname "$dir"); done
    printf '%s\n' "$dir"
}

# May this user, who needs no account yet, use the checkout and get to the site?
can_reach() {
    local -a try=(setpriv --reuid "$1" --regid "$1" --clear-groups --)
    ! has_account "$1" || try=(as_user "$1")
    "${try[@]}" test -r "$PWD/run.sh" -a -x "$PWD" 2>/dev/null &&
        "${try[@]}" test -x "$(existing_parent "$(dirname "$site")")" 2>/dev/null
}

add_account() {
    complain "adding the system user dropstream, who will run the site"
    useradd --system --user-group --no-create-home --home-dir /nonexistent \
        --shell /usr/sbin/nologin dropstream
}

# Prints the uid that the site runs as: the owner of the site, else of the checkout,
# else one made for it. Notes go to standard error.
runner_uid() {
    local owner=0 nobody=65534
    [[ ! -d $site ]] || owner=$(stat -c %u "$site")
    [[ $owner -ne 0 ]] || owner=$(stat -c %u .)
    if ! is_root; then
        owner=$EUID
    elif [[ $owner -ne 0 ]] && has_account "$owner"; then
        can_reach "$owner" || die "user $owner owns $site, but cannot reach it from $PWD"
    elif can_reach "$nobody"; then
        has_account dropstream || add_account
        owner=$(id -u dropstream)
    else
        complain "running as root: no other user can reach both $PWD and $site"
        owner=0
    fi
    printf '%s\n' "$owner"
}

# Makes the site folder and gives it to the one who runs it. A site that root ran
# before holds only what root wrote, so that handing it over follows nobody's links.
give_site_to() {
    local uid=$1
    mkdir -p "$(dirname "$site")"
    [[ -d $site ]] || mkdir -m 700 "$site"
    if is_root && [[ $uid -ne 0 && $(stat -c %u "$site") -eq 0 ]]; then
        chown -R -h "$uid:$(getent passwd "$uid" | cut -d: -f4)" "$site"
    fi
}

# A slip in --site must not mix a site with somebody's files.
check_site_folder() {
    [[ ! -e $site || -d $site ]] || die "$site is not a folder"
    # A checkout has an etc/dropstream.conf too; a site over it would take it apart.
    [[ ! -e $site/run.sh && ! -e $site/.git ]] ||
        die "$site holds a checkout, not a site; nothing was touched"
    [[ ! -d $site || -e $site/etc/dropstream.conf || -e $site/run/run.lock ||
        -z $(ls -A "$site" 2>/dev/null) ]] || die "$site holds something else, not a site; nothing was touched"
    # lighttpd splits the paths of its programs at spaces; a socket's name has 107 bytes.
    [[ $site != *[[:space:]]* ]] || die "$site: the path of a site must not hold a space"
    [[ $(printf %s "$site" | wc -c) -le 80 ]] || die "$site: this path is too long, at most 80 bytes"
}

# ---- the commands -----------------------------------------------------------

# Readable for whoever runs the site.
build() {
    (
        umask 022
        as_user "$(builder_uid)" make -s --no-print-directory -j"$(nproc)" all ui
    ) || die "the build failed"
}

# Before there is a program that could tell, as it is not built yet; a guess that is wrong
# costs a package, or is noticed when the site starts.
wants_tls() {
    [[ -n ${DROPSTREAM_TLS_PEM:-} ]] ||
        grep -qsE '^[[:space:]]*tls_pem[[:space:]]*=[[:space:]]*/' "$site/etc/dropstream.conf"
}

# Before anything is installed or built; what counts is the lock that serve.sh takes.
refuse_if_running() {
    local url lock=$site/run/run.lock
    if [[ -r $lock ]] && ! flock -n "$lock" true; then
        read -r url <"$lock" || url='an address that it has not told yet'
        die "already running at $url"
    fi
}

# Goes on as the one who runs the site; nothing after this needs root.
serve_as_runner() {
    local uid
    local -a as=()
    uid=$(runner_uid)
    give_site_to "$uid"
    [[ -z $port ]] || export DROPSTREAM_PORT=$port
    [[ -z $bind ]] || export DROPSTREAM_BIND=$bind
    if [[ $uid -ne $EUID ]]; then
        user_command as "$uid"
        say "Running as user $(id -nu "$uid")"
    fi
    exec "${as[@]}" etc/serve.sh "$site"
}

run_tests() {
    install_packages "${RUN_PACKAGES[@]}" "${TEST_PACKAGES[@]}"
    # Nothing of the caller's settings or keyboard may change what a test sees.
    unset DROPSTREAM_SITE DROPSTREAM_PORT DROPSTREAM_BIND
    as_user "$(builder_uid)" make --no-print-directory check </dev/null
}

parse_options() {
    while [[ $# -gt 0 ]]; do
        case $1 in
        --port | --bind | --site)
            [[ $# -ge 2 && -n $2 ]] || misuse "$1 needs a value"
            printf -v "${1#--}" '%s' "$2"
            shift
            ;;
        --port=?* | --bind=?* | --site=?*)
            local name=${1%%=*}
            printf -v "${name#--}" '%s' "${1#*=}"
            ;;
        --help | -h)
            usage
            exit 0
            ;;
        *) misuse "unknown option: $1" ;;
        esac
        shift
    done
    if [[ -n $port ]]; then
        [[ $port =~ ^[1-9][0-9]{0,4}$ && $port -le 65535 ]] ||
            misuse "--port $port: a number from 1 to 65535 is needed"
    fi
    bind=${bind#[} bind=${bind%]}
    [[ -z $bind || $bind =~ ^[A-Za-z0-9.:%-]+$ ]] ||
        misuse "--bind $bind: an address is needed, such as 127.0.0.1 or ::1"
    # Relative to where the caller stands, not to where this script lies.
    [[ -z $site || $site == /* ]] || site=$PWD/$site
}

main() {
    local testing=''
    # A closed standard input would give its number to the next file that is opened.
    { : <&0; } 2>/dev/null || exec </dev/null
    PATH=$PATH:/usr/sbin:/sbin
    if [[ ${1:-} == test ]]; then
        testing=1
        shift
    fi
    [[ -z $testing || $# -eq 0 || $1 == --help ]] || misuse "test takes no options"
    parse_options "$@"
    cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")"
    site=$(realpath -m "${site:-site}")

    if [[ -n $testing ]]; then
        run_tests
        return
    fi
    check_site_folder
    refuse_if_running
    if wants_tls; then
        install_packages "${RUN_PACKAGES[@]}" "$TLS_PACKAGE"
    else
        install_packages "${RUN_PACKAGES[@]}"
    fi
    build
    serve_as_runner
}

main "$@"
