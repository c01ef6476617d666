#!/bin/sh
# Boot a real systemd as process 1 of namespaces of its own: this machine's files are below it, what it writes is in memory
# and goes away with it. Run as root by tests/systemd/machine.py under `unshare`; $1 is an empty directory for mount points.
set -eu
root=$1/root
mount --make-rprivate /
mkdir -p "$1/memory" "$root"
mount -t tmpfs tmpfs "$1/memory"
mkdir "$1/memory/upper" "$1/memory/work"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/memory/upper,workdir=$1/memory/work" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null zero full random urandom tty; do
  : > "$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
mount -t tmpfs tmpfs "$root/dev/shm"
ln -s /proc/self/fd "$root/dev/fd"
ln -s pts/ptmx "$root/dev/ptmx"
# Not what would reach through to the machine below.
for service in sysctl modules-load remount-fs update-utmp random-seed udevd udev-trigger tmpfiles-setup; do
  ln -sf /dev/null "$root/etc/systemd/system/systemd-$service.service"
done
cd "$root"
mkdir .below
pivot_root . .below
umount -l .below
mount --make-rshared / # as a machine has it: credentials reach a service by propagation
export container=other
exec /lib/systemd/systemd --system --unit=basic.target
