#!/bin/bash
#
# boot.sh SOURCE SHARED: boots systemd, as process 1 of namespaces of their own, on a copy of
# this machine of which nothing is written back, and has it run SHARED/script. Called as
#
#     unshare --pid --fork --kill-child --mount --uts --ipc --cgroup boot.sh …
#
# so that all of it is gone when that is killed. There SOURCE is /srv/dropstream and SHARED is
# /srv/shared, which alone can be written outside; the network is the machine's.

set -euo pipefail
source=$1 shared=$2

mount --make-rprivate /
mount -t tmpfs -o size=1g tmpfs /mnt
mkdir /mnt/upper /mnt/work /mnt/root
mount -t overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work overlay /mnt/root
cd /mnt/root
mkdir -p srv/dropstream srv/shared mnt/old
mount --bind "$source" srv/dropstream
mount -o remount,bind,ro srv/dropstream
mount --bind "$shared" srv/shared

mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs dev
node() { mknod -m 666 "dev/$1" c "$2" "$3"; }
node null 1 3 && node zero 1 5 && node full 1 7 && node random 1 8 && node urandom 1 9 && node tty 5 0
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
mount -t tmpfs -o mode=1777 tmpfs dev/shm
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp

# Nothing of the machine's own is started.
: >etc/fstab
units=etc/systemd/system
rm -rf "$units"
mkdir "$units"
for unit in systemd-udevd.service systemd-udev-trigger.service systemd-networkd.service \
    systemd-resolved.service systemd-logind.service systemd-tmpfiles-setup-dev.service \
    systemd-remount-fs.service systemd-modules-load.service systemd-sysctl.service \
    systemd-random-seed.service dev-hugepages.mount dev-mqueue.mount sys-kernel-debug.mount \
    sys-kernel-tracing.mount getty.target; do
    ln -s /dev/null "$units/$unit"
done
cat >"$units/trial.target" <<EOF
[Unit]
Wants=trial.service systemd-journald.service
EOF
cat >"$units/trial.service" <<EOF
[Unit]
DefaultDependencies=no
[Service]
Type=oneshot
ExecStart=/bin/bash /srv/shared/script
StandardOutput=file:/srv/shared/said
StandardError=file:/srv/shared/said
EOF

pivot_root . mnt/old
umount -l mnt/old
exec env -i container=lxc PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
    /lib/systemd/systemd --system --unit=trial.target --log-target=console --show-status=no
