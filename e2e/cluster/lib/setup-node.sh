#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# setup-node.sh WORK PAUSE: runs in the node's new namespaces, makes them fit for a node, and becomes their process 1.
set -eu
work=$1 pause=$2

# Whatever writes to fixed places does so here, and it is gone with the namespaces.
for dir in /run /var/lib /var/log; do mount -t tmpfs tmpfs "$dir"; done
mkdir -p /run/netns /run/lock /var/lib/cni /var/lib/kubelet /var/log/containers

# kubelet sets these, and they are the whole machine's: it finds them set already, in files that lie over the real ones.
while read -r name value; do
	test -e "/proc/sys/$name" || continue
	mkdir -p "$work/sysctl"
	file=$work/sysctl/$(echo "$name" | tr / -)
	echo "$value" >"$file"
	mount --bind "$file" "/proc/sys/$name"
done <<-end
	vm/overcommit_memory 1
	vm/panic_on_oom 0
	kernel/panic 10
	kernel/panic_on_oops 1
	kernel/keys/root_maxkeys 1000000
	kernel/keys/root_maxbytes 25000000
end

ip link set lo up
echo 1 >/proc/sys/net/ipv4/ip_forward
if test -e /proc/sys/net/bridge/bridge-nf-call-iptables; then
	echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables
fi
touch "$work/set-up"
exec "$pause"
