{{- /* SPDX-License-Identifier: Apache-2.0 */ -}}
{{- /* What the controller may do. One rule per concern: taking any one away has to break a test. */ -}}

{{- /* In the namespaces that are watched. */ -}}
{{- define "evener.rules.watched" -}}
# Ingresses are what is served; get, since one that changed meanwhile is read again before its status is written.
- apiGroups: [networking.k8s.io]
  resources: [ingresses]
  verbs: [get, list, watch]
# The address that is published.
- apiGroups: [networking.k8s.io]
  resources: [ingresses/status]
  verbs: [patch]
# Ports by name, which Services exist, and the addresses that are published.
- apiGroups: [""]
  resources: [services]
  verbs: [list, watch]
# The pods behind them.
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [list, watch]
# Problems are told on the object; repetitions are counted in the same Event.
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
# What is said about Services and client certificates.
- apiGroups: [evener.io]
  resources: [backendpolicies, clientcertificatepolicies]
  verbs: [list, watch]
# What became of it.
- apiGroups: [evener.io]
  resources: [backendpolicies/status, clientcertificatepolicies/status]
  verbs: [patch]
# Authorities for client certificates; only those that a policy names are read.
- apiGroups: [""]
  resources: [configmaps]
  verbs: [list, watch]
{{- if not .Values.secrets.names }}
# Certificates. RBAC can't tell types of Secrets, nor a list of one from a list of all.
- apiGroups: [""]
  resources: [secrets]
  verbs: [list, watch]
{{- end }}
{{- end -}}

{{- /* IngressClasses belong to no namespace. */ -}}
{{- define "evener.rules.classes" -}}
# Which Ingresses are ours.
- apiGroups: [networking.k8s.io]
  resources: [ingressclasses]
  verbs: [list, watch]
# TLS settings of a class.
- apiGroups: [evener.io]
  resources: [tlsprofiles]
  verbs: [list, watch]
# What became of them.
- apiGroups: [evener.io]
  resources: [tlsprofiles/status]
  verbs: [patch]
{{- end -}}

{{- /* In the release's namespace. */ -}}
{{- define "evener.rules.leader" -}}
# Leader election: a Lease that somebody deleted is made anew. The name of an object can't restrict its creation.
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [create]
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  resourceNames: [{{ include "evener.electionID" . | quote }}]
  verbs: [get, update]
{{- end -}}

{{- /*
The Secrets that are allowed by name, as {NAMESPACE: [NAME, ...]}: those of secrets.names, and the default certificate
where no other rule covers its namespace.
*/ -}}
{{- define "evener.namedSecrets" -}}
{{- $byNamespace := dict -}}
{{- range $namespace, $names := .Values.secrets.names -}}
{{- $_ := set $byNamespace $namespace $names -}}
{{- end -}}
{{- with include "evener.defaultSecret" . -}}
{{- $namespace := (split "/" .)._0 -}}
{{- $watched := (include "evener.namespaces" $ | fromJson).items -}}
{{- $everywhere := or (eq (include "evener.rbacScope" $) "cluster") (has $namespace $watched) -}}
{{- if not (and $everywhere (not $.Values.secrets.names)) -}}
{{- $_ := set $byNamespace $namespace (append (get $byNamespace $namespace | default list) (split "/" .)._1 | uniq) -}}
{{- end -}}
{{- end -}}
{{- toJson $byNamespace -}}
{{- end -}}

{{- /* The namespace of the published Service where no other rule covers it; otherwise empty. */ -}}
{{- define "evener.publishNamespace" -}}
{{- if eq (include "evener.rbacScope" .) "namespace" -}}
{{- with include "evener.publishService" . -}}
{{- $namespace := (split "/" .)._0 -}}
{{- if not (has $namespace (include "evener.namespaces" $ | fromJson).items) -}}{{- $namespace -}}{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "evener.subjects" -}}
- kind: ServiceAccount
  name: {{ include "evener.serviceAccountName" . }}
  namespace: {{ .Release.Namespace | quote }}
{{- end -}}
