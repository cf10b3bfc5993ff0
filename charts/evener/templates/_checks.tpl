{{- /* SPDX-License-Identifier: Apache-2.0 */ -}}
{{- /*
Values that are right one by one and wrong together. Each ends the rendering with a sentence that says what to do. What
a single value may be is in values.schema.json.
*/ -}}

{{- define "evener.check" -}}
{{- include "evener.check.replicas" . -}}
{{- include "evener.check.disruption" . -}}
{{- include "evener.check.scope" . -}}
{{- include "evener.check.tls" . -}}
{{- include "evener.check.flags" . -}}
{{- include "evener.check.time" . -}}
{{- include "evener.check.ports" . -}}
{{- include "evener.check.service" . -}}
{{- include "evener.check.metrics" . -}}
{{- end -}}

{{- define "evener.check.replicas" -}}
{{- $set := not (kindIs "invalid" .Values.replicaCount) -}}
{{- $scaling := .Values.autoscaling -}}
{{- if eq .Values.controller.kind "DaemonSet" -}}
{{- if $scaling.enabled -}}
{{- fail "autoscaling.enabled does not go with controller.kind=DaemonSet: a DaemonSet has a pod on every node. Use one or the other." -}}
{{- end -}}
{{- if $set -}}
{{- fail "replicaCount does not go with controller.kind=DaemonSet: a DaemonSet has a pod on every node. Leave replicaCount unset." -}}
{{- end -}}
{{- if and (include "evener.takesNodePorts" .) (dig "rollingUpdate" "maxSurge" 0 .Values.updateStrategy) -}}
{{- fail "updateStrategy.rollingUpdate.maxSurge does not go with ports of the node: two pods of a DaemonSet can't share them. Use maxUnavailable." -}}
{{- end -}}
{{- end -}}
{{- if $scaling.enabled -}}
{{- if $set -}}
{{- fail "replicaCount does not go with autoscaling.enabled: each upgrade would undo the scaling. Use autoscaling.minReplicas and leave replicaCount unset." -}}
{{- end -}}
{{- if gt (int $scaling.minReplicas) (int $scaling.maxReplicas) -}}
{{- fail (printf "autoscaling.minReplicas (%d) is greater than autoscaling.maxReplicas (%d)." (int $scaling.minReplicas) (int $scaling.maxReplicas)) -}}
{{- end -}}
{{- if not (or $scaling.targetCPUUtilizationPercentage $scaling.targetMemoryUtilizationPercentage $scaling.metrics) -}}
{{- fail "autoscaling.enabled needs something to go by: set targetCPUUtilizationPercentage, targetMemoryUtilizationPercentage or metrics." -}}
{{- end -}}
{{- $requests := dig "requests" dict (default dict .Values.resources) -}}
{{- if and $scaling.targetCPUUtilizationPercentage (not (get $requests "cpu")) -}}
{{- fail "autoscaling.targetCPUUtilizationPercentage is a share of resources.requests.cpu, which is not set." -}}
{{- end -}}
{{- if and $scaling.targetMemoryUtilizationPercentage (not (get $requests "memory")) -}}
{{- fail "autoscaling.targetMemoryUtilizationPercentage is a share of resources.requests.memory, which is not set." -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "evener.check.disruption" -}}
{{- $budget := .Values.podDisruptionBudget -}}
{{- $least := int (include "evener.leastReplicas" .) -}}
{{- $min := toString $budget.minAvailable -}}
{{- $max := toString $budget.maxUnavailable -}}
{{- $minSet := not (kindIs "invalid" $budget.minAvailable) -}}
{{- $maxSet := not (kindIs "invalid" $budget.maxUnavailable) -}}
{{- if $budget.enabled -}}
{{- if and $minSet $maxSet -}}
{{- fail "podDisruptionBudget.minAvailable and podDisruptionBudget.maxUnavailable exclude each other. Set one of them." -}}
{{- end -}}
{{- if and $minSet (gt $least 1) -}}
{{- if eq $min "100%" -}}
{{- fail "podDisruptionBudget.minAvailable is 100%: no pod could ever be evicted, so no node drained. Use less." -}}
{{- end -}}
{{- if and (regexMatch "^[0-9]+$" $min) (ge (int $min) $least) -}}
{{- fail (printf "podDisruptionBudget.minAvailable (%s) is not below the number of pods (%d): no pod could ever be evicted, so no node drained." $min $least) -}}
{{- end -}}
{{- end -}}
{{- if and $maxSet (has $max (list "0" "0%")) -}}
{{- fail (printf "podDisruptionBudget.maxUnavailable is %s: no pod could ever be evicted, so no node drained. Use 1 or more." $max) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "evener.check.scope" -}}
{{- $scope := .Values.scope -}}
{{- if and (not $scope.enabled) (or $scope.namespace $scope.additionalNamespaces) -}}
{{- fail "scope.namespace and scope.additionalNamespaces count with scope.enabled=true only." -}}
{{- end -}}
{{- if and (eq .Values.rbac.scope "namespace") (not $scope.enabled) -}}
{{- fail "rbac.scope=namespace needs scope.enabled=true: without it all namespaces are watched, which takes a ClusterRole." -}}
{{- end -}}
{{- if and .Values.ingressClassResource.default (not .Values.ingressClassResource.enabled) -}}
{{- fail "ingressClassResource.default needs ingressClassResource.enabled=true: the default is an annotation of the IngressClass." -}}
{{- end -}}
{{- if and (not .Values.serviceAccount.create) (not .Values.serviceAccount.name) -}}
{{- fail "serviceAccount.create=false needs serviceAccount.name, the account that exists." -}}
{{- end -}}
{{- end -}}

{{- define "evener.check.tls" -}}
{{- with .Values.defaultTLS -}}
{{- if and .existingSecret (or .certificate .key) -}}
{{- fail "defaultTLS.existingSecret excludes defaultTLS.certificate and defaultTLS.key. Set one or the other." -}}
{{- end -}}
{{- if and .certificate (not .key) -}}{{- fail "defaultTLS.certificate needs defaultTLS.key." -}}{{- end -}}
{{- if and .key (not .certificate) -}}{{- fail "defaultTLS.key needs defaultTLS.certificate." -}}{{- end -}}
{{- end -}}
{{- if and .Values.secrets.names (ne .Values.secrets.access "named") -}}
{{- fail "secrets.names counts with secrets.access=named only; with tls, all TLS Secrets are read." -}}
{{- end -}}
{{- if .Values.scope.enabled -}}
{{- $watched := (include "evener.namespaces" . | fromJson).items -}}
{{- range $namespace, $names := .Values.secrets.names -}}
{{- if not (has $namespace $watched) -}}
{{- fail (printf "secrets.names has the namespace %s, which is not watched (scope): its Secrets would never be used." $namespace) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "evener.check.flags" -}}
{{- $known := .Files.Get "files/flags.json" | fromJson -}}
{{- $owned := include "evener.ownedFlags" . | fromYaml -}}
{{- range $name, $value := .Values.config -}}
{{- if hasKey $owned $name -}}
{{- fail (printf "config.%s is set by another value: %s." $name (get $owned $name)) -}}
{{- end -}}
{{- if not (hasKey $known $name) -}}
{{- $free := list -}}
{{- range keys $known -}}{{- if not (hasKey $owned .) -}}{{- $free = append $free . -}}{{- end -}}{{- end -}}
{{- fail (printf "config.%s is no flag of evener run. There are: %s." $name ($free | sortAlpha | join ", ")) -}}
{{- end -}}
{{- if and (kindIs "slice" $value) (not (get $known $name).repeatable) -}}
{{- fail (printf "config.%s is a list, and the flag can be given only once." $name) -}}
{{- end -}}
{{- end -}}
{{- range $name, $value := .Values.extraArgs -}}
{{- if hasKey $owned $name -}}
{{- fail (printf "extraArgs.%s is set by another value: %s." $name (get $owned $name)) -}}
{{- end -}}
{{- if hasKey $.Values.config $name -}}
{{- fail (printf "extraArgs.%s is in config too. Set it in one place." $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "evener.check.time" -}}
{{- $flags := merge (dict) .Values.config .Values.extraArgs (dict "shutdown-grace-period" "30s" "shutdown-delay" "5s") -}}
{{- $said := get $flags "shutdown-grace-period" | toString -}}
{{- $grace := include "evener.milliseconds" $said -}}
{{- if not $grace -}}
{{- fail (printf "config.shutdown-grace-period is %q, which is no time. Say 30s, 500ms or 2m." $said) -}}
{{- end -}}
{{- $saidDelay := get $flags "shutdown-delay" | toString -}}
{{- $delay := include "evener.milliseconds" $saidDelay -}}
{{- if not $delay -}}
{{- fail (printf "config.shutdown-delay is %q, which is no time. Say 5s, 500ms or 2m." $saidDelay) -}}
{{- end -}}
{{- $sleep := int (dig "preStop" "sleep" "seconds" 0 .Values.lifecycle) -}}
{{- $need := add (int64 $grace) (int64 $delay) (mul $sleep 1000) -}}
{{- $have := mul (int64 .Values.terminationGracePeriodSeconds) 1000 -}}
{{- if le $have $need -}}
{{- $before := ternary (printf ", after a preStop of %d s" $sleep) "" (gt $sleep 0) -}}
{{- fail (printf "terminationGracePeriodSeconds (%d) has to be longer than the flags shutdown-delay (%s) and shutdown-grace-period (%s) together%s: the pod would be killed while it drains." (int .Values.terminationGracePeriodSeconds) $saidDelay $said $before) -}}
{{- end -}}
{{- end -}}

{{- define "evener.check.ports" -}}
{{- if and .Values.hostNetwork .Values.hostPort.enabled -}}
{{- fail "hostNetwork and hostPort.enabled exclude each other: in the node's network the pod's ports are the node's. Use containerPort." -}}
{{- end -}}
{{- if and .Values.hostNetwork .Values.networkPolicy.enabled -}}
{{- fail "networkPolicy.enabled does not go with hostNetwork: policies don't apply to pods in the node's network." -}}
{{- end -}}
{{- $ports := list (dict "name" "containerPort.http" "port" .Values.containerPort.http) -}}
{{- $ports = append $ports (dict "name" "containerPort.https" "port" .Values.containerPort.https) -}}
{{- $ports = append $ports (dict "name" "metrics.port" "port" .Values.metrics.port) -}}
{{- $hostPorts := list -}}
{{- $servicePorts := list -}}
{{- range $name := list "http" "https" -}}
{{- if $.Values.hostPort.enabled -}}
{{- $hostPorts = append $hostPorts (dict "name" (printf "hostPort.ports.%s" $name) "port" (get $.Values.hostPort.ports $name)) -}}
{{- end -}}
{{- $servicePorts = append $servicePorts (dict "name" (printf "service.ports.%s" $name) "port" (get $.Values.service.ports $name)) -}}
{{- end -}}
{{- range $name, $port := .Values.tcp -}}
{{- if has $name (list "http" "https" "metrics") -}}
{{- fail (printf "tcp.%s: that name is taken by a port of the chart." $name) -}}
{{- end -}}
{{- if contains "--" $name -}}
{{- fail (printf "tcp.%s: the name of a port has no two dashes in a row." $name) -}}
{{- end -}}
{{- $ports = append $ports (dict "name" (printf "tcp.%s" $name) "port" (default $port.port $port.containerPort)) -}}
{{- $hostPorts = append $hostPorts (dict "name" (printf "tcp.%s.hostPort" $name) "port" $port.hostPort) -}}
{{- $servicePorts = append $servicePorts (dict "name" (printf "tcp.%s.port" $name) "port" $port.port) -}}
{{- if and $port.hostPort $.Values.hostNetwork -}}
{{- fail (printf "tcp.%s.hostPort does not go with hostNetwork: in the node's network the pod's ports are the node's." $name) -}}
{{- end -}}
{{- end -}}
{{- range $group := list $ports $hostPorts $servicePorts -}}
{{- $taken := dict -}}
{{- range $group -}}
{{- $number := int .port -}}
{{- $other := get $taken (toString $number) -}}
{{- if and $number $other -}}
{{- fail (printf "%s and %s are both %d." $other .name $number) -}}
{{- end -}}
{{- $_ := set $taken (toString $number) .name -}}
{{- end -}}
{{- end -}}
{{- if .Values.hostNetwork -}}
{{- range $ports -}}
{{- if lt (int .port) (int $.Values.containerPort.unprivilegedStart) -}}
{{- fail (printf "%s is %d, and with hostNetwork a process without privileges can't open a port below %d. Use hostPort.enabled, a higher port, or lower net.ipv4.ip_unprivileged_port_start on the nodes and say so in containerPort.unprivilegedStart." .name (int .port) (int $.Values.containerPort.unprivilegedStart)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "evener.check.service" -}}
{{- with .Values.service -}}
{{- if .enabled -}}
{{- if and (not .ports.http) (not .ports.https) (not $.Values.tcp) -}}
{{- fail "service.ports.http and service.ports.https are both 0 and tcp is empty: the Service would have no port. Set service.enabled=false." -}}
{{- end -}}
{{- if and .externalTrafficPolicy (eq .type "ClusterIP") (not .externalIPs) -}}
{{- fail "service.externalTrafficPolicy does not go with service.type=ClusterIP, which nothing reaches from outside." -}}
{{- end -}}
{{- if ne .type "LoadBalancer" -}}
{{- range $key := list "loadBalancerClass" "loadBalancerIP" "loadBalancerSourceRanges" "healthCheckNodePort" -}}
{{- if get $.Values.service $key -}}
{{- fail (printf "service.%s needs service.type=LoadBalancer; it is %s." $key $.Values.service.type) -}}
{{- end -}}
{{- end -}}
{{- if not (kindIs "invalid" .allocateLoadBalancerNodePorts) -}}
{{- fail (printf "service.allocateLoadBalancerNodePorts needs service.type=LoadBalancer; it is %s." .type) -}}
{{- end -}}
{{- end -}}
{{- if and .healthCheckNodePort (ne .externalTrafficPolicy "Local") -}}
{{- fail "service.healthCheckNodePort needs service.externalTrafficPolicy=Local." -}}
{{- end -}}
{{- if and (eq .type "ClusterIP") (or .nodePorts.http .nodePorts.https) -}}
{{- fail "service.nodePorts does not go with service.type=ClusterIP. Use NodePort or LoadBalancer." -}}
{{- end -}}
{{- range $name, $port := $.Values.tcp -}}
{{- if and $port.nodePort (eq $.Values.service.type "ClusterIP") -}}
{{- fail (printf "tcp.%s.nodePort does not go with service.type=ClusterIP. Use NodePort or LoadBalancer." $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and .Values.publishService.enabled (not .Values.service.enabled) (not .Values.publishService.pathOverride) (not .Values.publishStatusAddresses) -}}
{{- fail "publishService.enabled needs a Service, and service.enabled is false. Set publishService.pathOverride, publishStatusAddresses, or publishService.enabled=false." -}}
{{- end -}}
{{- end -}}

{{- define "evener.check.metrics" -}}
{{- with .Values.metrics -}}
{{- if and .serviceMonitor.enabled (not .enabled) -}}
{{- fail "metrics.serviceMonitor.enabled needs metrics.enabled: a ServiceMonitor finds the pods by the metrics Service." -}}
{{- end -}}
{{- if and .serviceMonitor.enabled $.Values.networkPolicy.enabled (not $.Values.networkPolicy.metricsFrom) -}}
{{- fail "metrics.serviceMonitor.enabled with networkPolicy.enabled needs networkPolicy.metricsFrom: Prometheus could not reach the pods." -}}
{{- end -}}
{{- if .prometheusRule.enabled -}}
{{- $alerts := list -}}
{{- range ($.Files.Get "files/alerts.yaml" | fromYaml).rules -}}{{- $alerts = append $alerts .alert -}}{{- end -}}
{{- range .prometheusRule.disabled -}}
{{- if not (has . $alerts) -}}
{{- fail (printf "metrics.prometheusRule.disabled has %s, which is no alert. There are: %s." . (join ", " $alerts)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
