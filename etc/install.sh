#!/bin/sh
#
# install.sh BUILD SITE: lays out a site from what was built, or brings one up to date.
#
# Invariants: a program or page is replaced by rename, never written in place, so that
# a running site goes on with what it has open. What people edit or upload is kept.
# Folders are made for their owner alone; the modes of existing ones stay.

set -eu
umask 077

[ $# -eq 2 ] || { echo "usage: install.sh BUILD SITE" >&2; exit 2; }
build=$1
site=$2
here=$(dirname "$0")
# What an earlier run of this script put there, to tell it from what people changed.
kept=$site/etc/.installed

# Files that are on their way into a folder; the same file system as it.
stage=$site/tmp/install.$$
trap 'rm -rf "$stage"' EXIT

# put MODE FOLDER FILE...: nothing happens to those that are there and the same already.
put() {
    mode=$1
    folder=$2
    shift 2
    for new; do
        shift
        if [ ! -e "$folder/${new##*/}" ] || ! cmp -s "$new" "$folder/${new##*/}"; then
            set -- "$@" "$new"
        fi
    done
    [ $# -gt 0 ] || return 0
    install -m "$mode" -t "$stage" "$@"
    mv -f "$stage"/* "$folder/"
}

put_programs() {
    put 700 "$site/cgi-bin" "$build/cgi-bin/upload.fcgi" "$build/cgi-bin/api.fcgi" \
        "$build/cgi-bin/media.fcgi"
    put 700 "$site/bin" "$build/cgi-bin/address_limit.so" "$build/worker/dropstream-worker" \
        "$build/worker/dropstreamctl" "$here/options.sh" "$here/lighttpd.sh"
}

# The settings are the owner's once they exist. The server's configuration is ours
# until somebody edits it; then ours goes beside it.
put_settings() {
    [ -e "$site/etc/dropstream.conf" ] || put 600 "$site/etc" "$here/dropstream.conf"
    conf=$site/etc/lighttpd.conf
    if [ ! -e "$conf" ] || cmp -s "$conf" "$kept/lighttpd.conf"; then
        put 600 "$site/etc" "$here/lighttpd.conf"
    elif ! cmp -s "$conf" "$here/lighttpd.conf" &&
        ! cmp -s "$here/lighttpd.conf" "$kept/lighttpd.conf"; then
        install -m 600 "$here/lighttpd.conf" "$stage/lighttpd.conf.new"
        mv -f "$stage/lighttpd.conf.new" "$conf.new"
        echo "$conf was edited and is kept; this version's own is $conf.new" >&2
    fi
    put 600 "$kept" "$here/lighttpd.conf"
    # Not to be edited: they belong to the pages of this version.
    put 600 "$site/etc" "$here/style_hashes.conf"
}

# index.html goes last: what it names is there when it appears.
put_pages() {
    list=$site/tmp/pages.$$
    (cd "$build/htdocs" && find . -type f ! -path './media/*' | LC_ALL=C sort) >"$list"
    set --
    last=.
    while IFS= read -r file; do
        dir=${file%/*}
        if [ "$dir" != "$last" ]; then
            put 600 "$site/htdocs/$last" "$@"
            set --
            last=$dir
            [ -d "$site/htdocs/$dir" ] || mkdir -p "$site/htdocs/$dir"
        fi
        [ "$file" = ./index.html ] || set -- "$@" "$build/htdocs/$file"
    done <"$list"
    put 600 "$site/htdocs/$last" "$@"
    put 600 "$site/htdocs" "$build/htdocs/index.html"
    drop_old_pages "$list"
    mv -f "$list" "$kept/pages"
}

# Removes what the last install put there and this one did not. Only names from that
# list are touched, and none in media/.
drop_old_pages() {
    [ -e "$kept/pages" ] || return 0
    LC_ALL=C comm -23 "$kept/pages" "$1" | while IFS= read -r file; do
        case $file in
        ./media/* | */../*) ;;
        *) rm -f "$site/htdocs/$file" ;;
        esac
    done
}

mkdir -p "$site/cgi-bin" "$site/bin" "$site/htdocs/media" "$site/etc/.installed" \
    "$site/db" "$site/spool" "$site/log" "$site/run" "$site/tmp" "$stage"
put_programs
put_settings
"$here/options.sh" "$site"
if [ -e "$build/htdocs/index.html" ]; then
    put_pages
else
    echo "the pages are not built (make ui): the site has none" >&2
fi
