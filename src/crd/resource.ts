// SPDX-License-Identifier: Apache-2.0
import type { V1ObjectMeta } from "@kubernetes/client-node";
import type { BackendPolicySpec } from "./backend-policy.ts";
import type { ClientCertificatePolicySpec } from "./client-certificate-policy.ts";
import type { ConditionStatus } from "./status.ts";
import type { TlsProfileSpec } from "./tls-profile.ts";

export const API_VERSION = "evener.io/v1alpha1";

/** A condition as it stands in the cluster. */
export interface StoredCondition {
  readonly type: string;
  readonly status: ConditionStatus;
  readonly reason: string;
  readonly message?: string;
  readonly observedGeneration?: number;
  readonly lastTransitionTime: string;
}

/** An object of one of our kinds. */
export interface CustomObject<Spec> {
  readonly metadata?: V1ObjectMeta;
  readonly spec: Spec;
  readonly status?: { readonly conditions?: readonly StoredCondition[] };
}

export type BackendPolicy = CustomObject<BackendPolicySpec>;
export type ClientCertificatePolicy = CustomObject<ClientCertificatePolicySpec>;
export type TlsProfile = CustomObject<TlsProfileSpec>;
