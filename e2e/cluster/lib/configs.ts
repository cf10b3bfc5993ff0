// SPDX-License-Identifier: Apache-2.0
/** The files that the node's programs read. */
import { join } from "node:path";
import { DNS_ADDRESS, NODE_NAME, POD_NETWORK } from "./addresses.ts";

export const CONTAINERD_SOCKET = "/run/containerd/containerd.sock";
export const PAUSE_IMAGE = "localhost/evener-e2e-pause:1";

export function makeContainerdConfig(work: string): string {
  const cri = 'plugins."io.containerd.grpc.v1.cri"';
  return `version = 2
root = "${join(work, "containerd")}"
state = "/run/containerd"
# Where CAP_SYS_RESOURCE is missing, a score can't be lowered, and runc would die of trying.
oom_score = 0
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.internal.v1.opt"]
[grpc]
  address = "${CONTAINERD_SOCKET}"
[${cri}]
  sandbox_image = "${PAUSE_IMAGE}"
  restrict_oom_score_adj = true
  [${cri}.containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [${cri}.containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [${cri}.containerd.runtimes.runc.options]
        SystemdCgroup = false
  [${cri}.cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${join(work, "cni")}"
`;
}

export function makeCniConfig(): unknown {
  const bridge = {
    type: "bridge",
    bridge: "cni0",
    isDefaultGateway: true,
    hairpinMode: true,
    ipam: { type: "host-local", ranges: [[{ subnet: POD_NETWORK }]] },
  };
  const portmap = { type: "portmap", capabilities: { portMappings: true } };
  return { cniVersion: "0.4.0", name: "e2e", plugins: [bridge, portmap] };
}

export function makeKubeletConfig(work: string, caFile: string, cgroupRoot: string): unknown {
  return {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: caFile },
    },
    authorization: { mode: "Webhook" },
    containerRuntimeEndpoint: `unix://${CONTAINERD_SOCKET}`,
    cgroupDriver: "cgroupfs",
    cgroupRoot,
    failCgroupV1: false,
    failSwapOn: false,
    clusterDNS: [DNS_ADDRESS],
    clusterDomain: "cluster.local",
    resolvConf: join(work, "resolv.conf"),
    oomScoreAdj: 0,
    enforceNodeAllocatable: [],
    // The disk is the machine's: nobody's pod goes because it is full, and no image either.
    evictionHard: { "memory.available": "1Mi", "nodefs.available": "0%", "imagefs.available": "0%" },
    imageGCHighThresholdPercent: 100,
    podLogsDir: join(work, "pods"),
    volumePluginDir: join(work, "volume-plugins"),
    // Seconds that a pod's state lags behind are seconds of the tests.
    syncFrequency: "10s",
    fileCheckFrequency: "10s",
    nodeStatusUpdateFrequency: "5s",
    readOnlyPort: 0,
    shutdownGracePeriod: "0s",
  };
}

export function makeProxyConfig(kubeconfig: string): unknown {
  return {
    apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
    kind: "KubeProxyConfiguration",
    bindAddress: "0.0.0.0",
    clientConnection: { kubeconfig },
    clusterCIDR: POD_NETWORK,
    hostnameOverride: NODE_NAME,
    mode: "iptables",
    oomScoreAdj: 0,
    // These belong to the machine, not to the namespace; zero leaves them alone.
    conntrack: {
      maxPerCore: 0,
      min: 0,
      tcpEstablishedTimeout: "0s",
      tcpCloseWaitTimeout: "0s",
      udpTimeout: "0s",
      udpStreamTimeout: "0s",
    },
  };
}
