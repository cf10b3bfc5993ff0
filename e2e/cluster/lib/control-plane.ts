// SPDX-License-Identifier: Apache-2.0
/** The flags of the control plane's programs. */
import { join } from "node:path";
import type { KeyFiles } from "../../kube/lib/certificates.ts";
import { API_PORT, NODE_ADDRESS, SERVICE_NETWORK } from "./addresses.ts";

export type Flags = Readonly<Record<string, string | number | boolean>>;

const ETCD = "http://127.0.0.1:2379";
const PEER = "http://127.0.0.1:2380";
const ISSUER = "https://kubernetes.default.svc";

export function toArgs(flags: Flags): string[] {
  return Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
}

export function etcdFlags(work: string): Flags {
  return {
    "data-dir": join(work, "etcd"),
    name: "default",
    "listen-client-urls": ETCD,
    "advertise-client-urls": ETCD,
    "listen-peer-urls": PEER,
    "initial-advertise-peer-urls": PEER,
    "initial-cluster": `default=${PEER}`,
    // What is lost with the machine is thrown away anyway.
    "unsafe-no-fsync": true,
  };
}

export function apiServerFlags(work: string, caFile: string, server: KeyFiles, kubelet: KeyFiles): Flags {
  return {
    "etcd-servers": ETCD,
    "bind-address": "0.0.0.0",
    "advertise-address": NODE_ADDRESS,
    "secure-port": API_PORT,
    "cert-dir": join(work, "apiserver"),
    "tls-cert-file": server.cert,
    "tls-private-key-file": server.key,
    "client-ca-file": caFile,
    "kubelet-client-certificate": kubelet.cert,
    "kubelet-client-key": kubelet.key,
    "kubelet-preferred-address-types": "InternalIP",
    "service-account-key-file": join(work, "sa.pub"),
    "service-account-signing-key-file": join(work, "sa.key"),
    "service-account-issuer": ISSUER,
    "service-cluster-ip-range": SERVICE_NETWORK,
    "authorization-mode": "Node,RBAC",
    "enable-admission-plugins": "NodeRestriction",
    "audit-policy-file": join(work, "audit-policy.json"),
    "audit-log-path": join(work, "audit.log"),
    "audit-log-maxsize": 4000,
  };
}

export function controllerManagerFlags(work: string, caFile: string, kubeconfig: string): Flags {
  return {
    kubeconfig,
    "authentication-kubeconfig": kubeconfig,
    "authorization-kubeconfig": kubeconfig,
    "root-ca-file": caFile,
    "service-account-private-key-file": join(work, "sa.key"),
    "use-service-account-credentials": true,
    "leader-elect": false,
    "cert-dir": join(work, "controller-manager"),
    // A pod that was deleted shall be out of its EndpointSlice at once.
    "endpointslice-updates-batch-period": "0s",
  };
}

export function schedulerFlags(work: string, kubeconfig: string): Flags {
  return {
    kubeconfig,
    "authentication-kubeconfig": kubeconfig,
    "authorization-kubeconfig": kubeconfig,
    "leader-elect": false,
    "cert-dir": join(work, "scheduler"),
  };
}
