{{- /* SPDX-License-Identifier: Apache-2.0 */ -}}
{{- /* The program's arguments. Values of the chart that are flags are owned by it: RBAC, ports and probes depend on them. */ -}}

{{- /* Flags that a value of the chart sets, and which. */ -}}
{{- define "evener.ownedFlags" -}}
source: nothing; in a cluster it is always kube
kubeconfig: nothing; the service account is used
ingress-class: ingressClassResource.name
controller-class: ingressClassResource.controllerValue
watch-ingress-without-class: watchIngressWithoutClass
watch-namespace: scope
default-ssl-certificate: defaultTLS
publish-service: publishService
publish-status-address: publishStatusAddresses
election-id: electionID
zone: zone
http-port: containerPort.http
https-port: containerPort.https
healthz-port: metrics.port
run-dir: nothing; it is a directory in memory at /run/evener
secrets: secrets.access
{{- end -}}

{{- define "evener.scalar" -}}
{{- if kindIs "string" . -}}{{- . -}}{{- else -}}{{- toJson . -}}{{- end -}}
{{- end -}}

{{- /* As {"items": [...]}, so that nothing in a value can end up as YAML. */ -}}
{{- define "evener.args" -}}
{{- $args := list "run" -}}
{{- $args = append $args (printf "--ingress-class=%s" .Values.ingressClassResource.name) -}}
{{- $args = append $args (printf "--controller-class=%s" .Values.ingressClassResource.controllerValue) -}}
{{- if .Values.watchIngressWithoutClass -}}
{{- $args = append $args "--watch-ingress-without-class=true" -}}
{{- end -}}
{{- range (include "evener.namespaces" . | fromJson).items -}}
{{- $args = append $args (printf "--watch-namespace=%s" .) -}}
{{- end -}}
{{- with include "evener.defaultSecret" . -}}
{{- $args = append $args (printf "--default-ssl-certificate=%s" .) -}}
{{- end -}}
{{- $args = append $args (printf "--secrets=%s" .Values.secrets.access) -}}
{{- with include "evener.publishService" . -}}
{{- $args = append $args (printf "--publish-service=%s" .) -}}
{{- end -}}
{{- range .Values.publishStatusAddresses -}}
{{- $args = append $args (printf "--publish-status-address=%s" .) -}}
{{- end -}}
{{- $args = append $args (printf "--election-id=%s" (include "evener.electionID" .)) -}}
{{- with .Values.zone -}}
{{- $args = append $args (printf "--zone=%s" .) -}}
{{- end -}}
{{- $args = append $args (printf "--http-port=%d" (int .Values.containerPort.http)) -}}
{{- $args = append $args (printf "--https-port=%d" (int .Values.containerPort.https)) -}}
{{- $args = append $args (printf "--healthz-port=%d" (int .Values.metrics.port)) -}}
{{- /* A directory of its own below the mount: the program makes it and keeps it to itself, which it can't do with a mount. */ -}}
{{- $args = append $args "--run-dir=/run/evener/live" -}}
{{- range $name, $port := .Values.tcp -}}
{{- $number := int (default $port.port $port.containerPort) -}}
{{- with $port.service -}}
{{- $tls := "" -}}
{{- if $port.tls }}{{ $tls = "/tls" }}{{ end -}}
{{- if $port.host }}{{ $tls = printf "/tls=%s" $port.host }}{{ end -}}
{{- $args = append $args (printf "--tcp-service=%d=%s%s" $number . $tls) -}}
{{- else -}}
{{- $args = append $args (printf "--tcp-ports=%d" $number) -}}
{{- end -}}
{{- end -}}
{{- range $name, $value := .Values.config -}}
{{- range (kindIs "slice" $value | ternary $value (list $value)) -}}
{{- $args = append $args (printf "--%s=%s" $name (include "evener.scalar" .)) -}}
{{- end -}}
{{- end -}}
{{- range $name, $value := .Values.extraArgs -}}
{{- if kindIs "invalid" $value -}}
{{- $args = append $args (printf "--%s" $name) -}}
{{- else -}}
{{- range (kindIs "slice" $value | ternary $value (list $value)) -}}
{{- $args = append $args (printf "--%s=%s" $name (include "evener.scalar" .)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- dict "items" $args | toJson -}}
{{- end -}}
