#!/bin/sh
#
# install.sh BUILD SITE: lays out a site from what was built, or brings one up to date.
#
# Invariants: a program or page is replaced by rename, never written in place, so that
# a running site goes on with what it has open. What people edit or upload is kept.
# Folders are made for their owner alone; the modes of existing ones stay.

set -eu
umask 077
unset CDPATH

[ $# -eq 2 ] || { echo "usage: install.sh BUILD SITE" >&2; exit 2; }
build=$1
site=$2
here=$(dirname "$0")
# What an earlier run of this script put there, to tell it from what people changed.
kept=$site/etc/.installed

# put MODE FILE TARGET: nothing happens to a target that is the same already.
put() {
    if [ ! -e "$3" ] || ! cmp -s "$2" "$3"; then
        install -m "$1" "$2" "$3.new~"
        mv -f "$3.new~" "$3"
    fi
}

put_programs() {
    for name in upload.fcgi api.fcgi media.fcgi; do
        put 700 "$build/cgi-bin/$name" "$site/cgi-bin/$name"
    done
    put 700 "$build/cgi-bin/address_limit.so" "$site/bin/address_limit.so"
    for name in dropstream-worker dropstreamctl; do
        put 700 "$build/worker/$name" "$site/bin/$name"
    done
    for name in options.sh lighttpd.sh; do
        put 700 "$here/$name" "$site/bin/$name"
    done
}

# The settings are the owner's once they exist. The server's configuration is ours
# until somebody edits it; then ours goes beside it.
put_settings() {
    [ -e "$site/etc/dropstream.conf" ] ||
        put 600 "$here/dropstream.conf" "$site/etc/dropstream.conf"
    conf=$site/etc/lighttpd.conf
    if [ ! -e "$conf" ] || cmp -s "$conf" "$kept/lighttpd.conf"; then
        put 600 "$here/lighttpd.conf" "$conf"
    elif ! cmp -s "$conf" "$here/lighttpd.conf" &&
        ! cmp -s "$here/lighttpd.conf" "$kept/lighttpd.conf"; then
        put 600 "$here/lighttpd.conf" "$conf.new"
        echo "$conf was edited and is kept; this version's own is $conf.new" >&2
    fi
    put 600 "$here/lighttpd.conf" "$kept/lighttpd.conf"
    # Not to be edited: they belong to the pages of this version.
    put 600 "$here/style_hashes.conf" "$site/etc/style_hashes.conf"
}

# index.html goes last: what it names is there when it appears.
put_pages() {
    (cd "$build/htdocs" && find . -type f ! -path './media/*' | LC_ALL=C sort) >"$list"
    while IFS= read -r file; do
        [ "$file" != ./index.html ] || continue
        [ -d "$site/htdocs/${file%/*}" ] || mkdir -p "$site/htdocs/${file%/*}"
        put 600 "$build/htdocs/$file" "$site/htdocs/$file"
    done <"$list"
    put 600 "$build/htdocs/index.html" "$site/htdocs/index.html"
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
    "$site/db" "$site/spool" "$site/log" "$site/run" "$site/tmp"
# Of two at once one waits: one would drop the other's pages as old ones.
exec 8<"$site/htdocs"
flock 8
list=$site/tmp/pages.$$
trap 'rm -f "$list"' EXIT
trap 'exit 1' HUP INT TERM
put_programs
put_settings
"$here/options.sh" "$site"
if [ -e "$build/htdocs/index.html" ]; then
    put_pages
else
    echo "the pages are not built (make ui): the site has none" >&2
fi
