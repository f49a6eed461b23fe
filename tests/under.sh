#!/bin/sh
#
# under.sh KIND BUILD TEST…: tests against sites whose programs are watched.
#
#   valgrind  the programs of BUILD run under memcheck
#   asan      they were built with AddressSanitizer and UBSan, into BUILD
#
# A test fails as usual; besides, whatever a program was caught at is a failure, also one
# that nobody waits for. What they were caught at is left in BUILD/reports/KIND. Without
# a TEST only those that are there are told.

set -u
unset CDPATH
kind=$1
build=$2
shift 2
cd "$(dirname "$0")/.." || exit 1
reports=$build/reports/$kind
rm -rf "$reports"
mkdir -p "$reports"

case $kind in
valgrind)
    # Of what is forked the part before exec is a copy of what is looked at anyway.
    under="valgrind --leak-check=full --errors-for-leak-kinds=definite"
    under="$under --child-silent-after-fork=yes --log-file=$reports/%p"
    # It knows no seccomp(2).
    export DROPSTREAM_JAIL=off
    caught='ERROR SUMMARY: [1-9]|Invalid |uninitialised|Mismatched |are definitely lost'
    ;;
asan)
    # Of what a test has loaded before it nothing is said.
    under="env ASAN_OPTIONS=log_path=$reports/asan:verify_asan_link_order=0"
    under="$under UBSAN_OPTIONS=log_path=$reports/ubsan:print_stacktrace=1"
    caught=.
    ;;
*)
    echo "usage: under.sh valgrind|asan BUILD TEST..." >&2
    exit 2
    ;;
esac

failed=0
for test; do
    echo "---- $test"
    DROPSTREAM_UNDER=$under DROPSTREAM_BUILD=$build node --test-reporter=spec "$test" || {
        echo "failed: $test"
        failed=1
    }
done
# One that was killed while its leaks were looked for.
excused='==Unable to get registers from thread'
for report in "$reports"/*; do
    if [ -f "$report" ] && grep -v "$excused" "$report" | grep -Eq "$caught"; then
        echo "---- $report"
        cat "$report"
        failed=1
    fi
done
exit $failed
