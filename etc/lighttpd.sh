#!/bin/sh
#
# lighttpd.sh SITE: becomes the lighttpd of the site in this absolute path, in the
# foreground, as the last options.sh has it.

set -eu
unset CDPATH

[ $# -eq 1 ] || { echo "usage: lighttpd.sh SITE" >&2; exit 2; }
site=$1

# NAME-PID.sock-…, with the number of the lighttpd whose it is or was: what one that runs
# is asked by is not for another start to take away. Our own number is lighttpd's soon.
drop_old_sockets() {
    for socket in run/*.sock-*; do
        pid=${socket#*-} pid=${pid%%.*}
        if [ "$pid" = $$ ] || ! kill -0 "$pid" 2>/dev/null; then rm -f "$socket"; fi
    done
}

cd "$site" # see options.sh
drop_old_sockets
export DROPSTREAM_SITE="$site"
# From here on nothing else is started: what is preloaded is for lighttpd alone.
while IFS= read -r setting; do export "${setting?}"; done <etc/lighttpd.env
exec lighttpd -D -f "$site/etc/lighttpd.conf"
