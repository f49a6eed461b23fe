#!/bin/sh
#
# lighttpd.sh SITE: becomes the lighttpd of the site in this absolute path, in the
# foreground, as the last options.sh has it.

set -eu

[ $# -eq 1 ] || { echo "usage: lighttpd.sh SITE" >&2; exit 2; }
site=$1

cd "$site" # see options.sh
rm -f run/*.sock-*
export DROPSTREAM_SITE="$site"
# From here on nothing else is started: what is preloaded is for lighttpd alone.
while IFS= read -r setting; do export "${setting?}"; done <etc/lighttpd.env
exec lighttpd -D -f "$site/etc/lighttpd.conf"
