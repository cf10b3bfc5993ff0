{{- /* SPDX-License-Identifier: Apache-2.0 */ -}}
{{- /* Names, labels and small conversions. */ -}}

{{- define "evener.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "evener.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "evener.name" . -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* Objects without a namespace carry that of the release in their name: two releases of one name don't collide. */ -}}
{{- define "evener.clusterName" -}}
{{- printf "%s.%s" (include "evener.fullname" .) .Release.Namespace -}}
{{- end -}}

{{- /* These can't be changed on an existing workload, so they hold nothing that a later version could want to change. */ -}}
{{- define "evener.selectorLabels" -}}
app.kubernetes.io/name: {{ include "evener.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{- define "evener.labels" -}}
{{- $own := include "evener.selectorLabels" . | fromYaml -}}
{{- $_ := set $own "app.kubernetes.io/version" .Chart.AppVersion -}}
{{- $_ := set $own "app.kubernetes.io/part-of" "evener" -}}
{{- $_ := set $own "app.kubernetes.io/managed-by" .Release.Service -}}
{{- $_ := set $own "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-") -}}
{{- /* The chart's own win: the selector relies on them. */ -}}
{{- toYaml (merge $own .Values.commonLabels) -}}
{{- end -}}

{{- /* Labels with more of them: (list . MORE). */ -}}
{{- define "evener.labelsWith" -}}
{{- $own := include "evener.labels" (index . 0) | fromYaml -}}
{{- toYaml (merge $own (index . 1)) -}}
{{- end -}}

{{- define "evener.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{- printf "%s@%s" .repository .digest -}}
{{- else -}}
{{- printf "%s:%s" .repository (default $.Chart.AppVersion .tag) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "evener.serviceAccountName" -}}
{{- default (include "evener.fullname" .) .Values.serviceAccount.name -}}
{{- end -}}

{{- define "evener.electionID" -}}
{{- default (printf "%s-leader" (include "evener.fullname" .)) .Values.electionID -}}
{{- end -}}

{{- /* NAMESPACE/NAME of the Service whose addresses are published; empty when none is. */ -}}
{{- define "evener.publishService" -}}
{{- if and .Values.publishService.enabled (not .Values.publishStatusAddresses) -}}
{{- default (printf "%s/%s" .Release.Namespace (include "evener.fullname" .)) .Values.publishService.pathOverride -}}
{{- end -}}
{{- end -}}

{{- /* NAMESPACE/NAME of the default certificate's Secret; empty when there is none. */ -}}
{{- define "evener.defaultSecret" -}}
{{- with .Values.defaultTLS -}}
{{- if .certificate -}}
{{- printf "%s/%s-default-tls" $.Release.Namespace (include "evener.fullname" $) -}}
{{- else if contains "/" .existingSecret -}}
{{- .existingSecret -}}
{{- else if .existingSecret -}}
{{- printf "%s/%s" $.Release.Namespace .existingSecret -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* The namespaces that are watched, as {"items": [...]}; no items: all. */ -}}
{{- define "evener.namespaces" -}}
{{- $items := list -}}
{{- if .Values.scope.enabled -}}
{{- $items = prepend .Values.scope.additionalNamespaces (default .Release.Namespace .Values.scope.namespace) | uniq -}}
{{- end -}}
{{- dict "items" $items | toJson -}}
{{- end -}}

{{- define "evener.rbacScope" -}}
{{- default (ternary "namespace" "cluster" .Values.scope.enabled) .Values.rbac.scope -}}
{{- end -}}

{{- /* Not empty when two pods can't run on one node, since both want the same port of it. */ -}}
{{- define "evener.takesNodePorts" -}}
{{- if .Values.hostNetwork -}}true{{- end -}}
{{- if .Values.hostPort.enabled -}}true{{- end -}}
{{- range .Values.tcp -}}{{- if .hostPort -}}true{{- end -}}{{- end -}}
{{- end -}}

{{- /* "" where the API server counts the pods itself; otherwise the replicas of the Deployment. */ -}}
{{- define "evener.replicas" -}}
{{- if and (eq .Values.controller.kind "Deployment") (not .Values.autoscaling.enabled) -}}
{{- if kindIs "invalid" .Values.replicaCount -}}2{{- else -}}{{- int .Values.replicaCount -}}{{- end -}}
{{- end -}}
{{- end -}}

{{- /* Fewest pods that there are: what a disruption budget has to leave room in. */ -}}
{{- define "evener.leastReplicas" -}}
{{- if eq .Values.controller.kind "DaemonSet" -}}0
{{- else if .Values.autoscaling.enabled -}}{{- int .Values.autoscaling.minReplicas -}}
{{- else -}}{{- include "evener.replicas" . -}}
{{- end -}}
{{- end -}}

{{- /* "30", "30s", "1.5s", "500ms" or "2m" as whole milliseconds; empty for anything else. */ -}}
{{- define "evener.milliseconds" -}}
{{- $text := toString . -}}
{{- if regexMatch "^[0-9]{1,6}(\\.[0-9]{1,3})?(ms|s|m)?$" $text -}}
{{- $number := regexFind "^[0-9.]+" $text | float64 -}}
{{- if hasSuffix "ms" $text -}}{{- $number | ceil | int64 -}}
{{- else if hasSuffix "m" $text -}}{{- mulf $number 60000 | ceil | int64 -}}
{{- else -}}{{- mulf $number 1000 | ceil | int64 -}}
{{- end -}}
{{- end -}}
{{- end -}}
