#!/bin/sh
#
# options.sh SITE: writes into a site's etc what its dropstream.conf, and DROPSTREAM_<KEY>
# in the environment, mean for lighttpd: options.conf, which lighttpd.conf ends with, and
# lighttpd.env, NAME=value for its environment, one a line (lighttpd.sh). Each start begins
# with it: lighttpd must not go by settings of before.
#
# Invariants: each value was read and checked by the program (lib/config_value.c): none
# holds a quote, a backslash or a line's end. Settings that are wrong change nothing. What
# it wrote is not in its own environment, where it would win over dropstream.conf. Of two at
# once one waits: both files are of the same settings, and whole.

set -eu
umask 077

[ $# -eq 1 ] || { echo "usage: options.sh SITE" >&2; exit 2; }
site=$1
exec 9<"$site/etc"
flock 9

# A line of its own, so that what fails there ends this script.
settings=$("$site/bin/dropstream-worker" --site "$site" \
    --get bind,port,tls_pem,trusted_proxies,media_cors,media_auth,connections_per_address)
{
    read -r bind; read -r port; read -r tls_pem; read -r trusted_proxies
    read -r media_cors; read -r media_auth; read -r connections_per_address
} <<EOF
$settings
EOF
set -f # lists are split at blanks, and hold a "*"

tls() {
    cat <<EOF_TLS

server.modules += ("mod_openssl")
ssl.engine = "enable"
ssl.pemfile = "$tls_pem"
EOF_TLS
}

# Only of these proxies the client's address and scheme are believed.
proxies() {
    printf '\nserver.modules += ("mod_extforward")\n'
    printf 'extforward.headers = ("X-Forwarded-For")\n'
    printf 'extforward.forwarder = (\n'
    for proxy in $trusted_proxies; do printf '    "%s" => "trust",\n' "$proxy"; done
    printf ')\n'
}

# cors ORIGIN: what its pages may do with a media file. Not with its cookies: those of
# strict mode are not for them.
cors() {
    cat <<EOF_CORS
        "Access-Control-Allow-Origin" => "$1",
        "Access-Control-Allow-Methods" => "GET, HEAD",
        "Access-Control-Allow-Headers" => "Authorization, Range, CMCD-Object, CMCD-Request, CMCD-Session, CMCD-Status, X-Playback-Session-Id",
        "Access-Control-Expose-Headers" => "Content-Length, Content-Range, Retry-After",
        "Access-Control-Max-Age" => "86400"
EOF_CORS
}

origins() {
    printf '\n$HTTP["url"] =~ "^/(?:media|missing)/.*\\.(?:m3u8|m4s|mp4|vtt|jpg)$" {\n'
    if [ "$media_cors" = '*' ]; then
        printf '    setenv.set-response-header = var.security + (\n%s\n    )\n' "$(cors '*')"
    else
        printf '    setenv.set-response-header = var.security + ("Vary" => "Origin")\n'
        for origin in $media_cors; do
            printf '    $REQUEST_HEADER["Origin"] == "%s" {\n' "$origin"
            printf '    setenv.set-response-header = var.security + (\n'
            printf '        "Vary" => "Origin",\n%s\n    )\n    }\n' "$(cors "$origin")"
        done
    fi
    printf '}\n'
}

# A file is sent without asking where the pass in the cookie leads to its key (lib/pass.h).
# Everything else goes to media.fcgi: who has no pass, what their pass does not lead to, and
# what is not there. All of it is rewritten once, which ends all other rewriting: so nobody
# gets at a pass but by its cookie. One second's memory of what is there would outlive
# what is taken back. No cache but the client's own may keep what was let through.
strict() {
    cat <<'EOF_STRICT'

server.stat-cache-engine = "disable"
$HTTP["url"] =^ "/media/" {
    url.rewrite-once = ("^/media/(.*)$" => "/missing/$1", "" => "/missing/")
    $REQUEST_HEADER["Cookie"] =~ "(?:^|[;, ])dropstream_media=([0-9a-f]{64})(?:[;, ]|$)" {
        url.rewrite-once = (
            "^/media/([a-z2-7]{26}/[^?]*\.(?:m3u8|m4s|mp4|vtt|jpg))(?:\?|$)" => "/media/pass/%1/$1",
            "^/media/(.*)$" => "/missing/$1",
            "" => "/missing/"
        )
    }
    setenv.add-response-header = ("Cache-Control" => "private")
}
$HTTP["url"] =^ "/missing/" {
    setenv.add-response-header = ("Cache-Control" => "private")
}
$HTTP["url"] =~ "^/media/.*\.(?:m3u8|jpg|vtt)$" {
    setenv.add-response-header = ("Cache-Control" => "private, no-cache")
}
EOF_STRICT
}

# For address_limit.so (cgi-bin/address_limit.c). ld.so splits what it is told at blanks and
# colons, and fills in what follows a "$": where the site's path has one, it is found from
# the site's folder, in which lighttpd.sh starts lighttpd.
address_limit() {
    library=$site/bin/address_limit.so
    case $site in *[\ :\$]*) library=./bin/address_limit.so ;; esac
    cat <<EOF_LIMIT
LD_PRELOAD=$library
DROPSTREAM_CONNECTIONS_PER_ADDRESS=$connections_per_address
DROPSTREAM_TRUSTED_PROXIES=$trusted_proxies
DROPSTREAM_TLS_PEM=$tls_pem
EOF_LIMIT
}

options() {
    printf '# Made from dropstream.conf each time the site starts: change that, not this.\n'
    [ -z "$tls_pem" ] || tls
    [ -z "$trusted_proxies" ] || proxies
    [ "$media_auth" != strict ] || strict
    [ -z "$media_cors" ] || origins
}

environment() {
    printf 'DROPSTREAM_BIND=%s\nDROPSTREAM_PORT=%s\n' "$bind" "$port"
    [ "$connections_per_address" -eq 0 ] || address_limit
}

# One that was edited stays as it is (install.sh), and may be of a version that did not
# have all that the settings mean by now.
if ! grep -q '^include "options.conf"' "$site/etc/lighttpd.conf"; then
    echo "$site/etc/lighttpd.conf was edited, and is of an older version: move what you changed to lighttpd.conf.new, and put that in its place" >&2
    exit 1
fi
options >"$site/etc/options.conf.new~"
environment >"$site/etc/lighttpd.env.new~"
mv -f "$site/etc/options.conf.new~" "$site/etc/options.conf"
mv -f "$site/etc/lighttpd.env.new~" "$site/etc/lighttpd.env"
