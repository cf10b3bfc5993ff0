{{- /* SPDX-License-Identifier: Apache-2.0 */ -}}
{{- /* The pod template, the same for Deployment and DaemonSet. */ -}}

{{- define "evener.probe" -}}
{{- $probe := merge (dict "httpGet" (dict "path" (index . 0) "port" "metrics")) (index . 1) -}}
{{- toYaml $probe -}}
{{- end -}}

{{- define "evener.spread" -}}
{{- $selector := include "evener.selectorLabels" . | fromYaml -}}
{{- $constraints := list -}}
{{- range .Values.topologySpreadConstraints -}}
{{- $own := hasKey . "labelSelector" | ternary dict (dict "labelSelector" (dict "matchLabels" $selector)) -}}
{{- $constraints = append $constraints (merge (deepCopy .) $own) -}}
{{- end -}}
{{- toYaml $constraints -}}
{{- end -}}

{{- define "evener.containerPorts" -}}
{{- $host := .Values.hostPort }}
- name: http
  containerPort: {{ .Values.containerPort.http }}
  protocol: TCP
  {{- if and $host.enabled $host.ports.http }}
  hostPort: {{ $host.ports.http }}
  {{- end }}
- name: https
  containerPort: {{ .Values.containerPort.https }}
  protocol: TCP
  {{- if and $host.enabled $host.ports.https }}
  hostPort: {{ $host.ports.https }}
  {{- end }}
- name: metrics
  containerPort: {{ .Values.metrics.port }}
  protocol: TCP
{{- range $name, $port := .Values.tcp }}
- name: {{ $name }}
  containerPort: {{ default $port.port $port.containerPort }}
  protocol: TCP
  {{- with $port.hostPort }}
  hostPort: {{ . }}
  {{- end }}
{{- end }}
{{- end -}}

{{- define "evener.podTemplate" -}}
metadata:
  {{- with .Values.podAnnotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  labels:
    {{- include "evener.labelsWith" (list . .Values.podLabels) | nindent 4 }}
spec:
  serviceAccountName: {{ include "evener.serviceAccountName" . }}
  # The token comes by the volume api-access instead: short-lived, and readable by nobody but the pod's user.
  automountServiceAccountToken: false
  enableServiceLinks: false
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . | quote }}
  {{- end }}
  {{- with .Values.runtimeClassName }}
  runtimeClassName: {{ . | quote }}
  {{- end }}
  {{- if .Values.hostNetwork }}
  hostNetwork: true
  {{- end }}
  dnsPolicy: {{ default (ternary "ClusterFirstWithHostNet" "ClusterFirst" .Values.hostNetwork) .Values.dnsPolicy }}
  terminationGracePeriodSeconds: {{ .Values.terminationGracePeriodSeconds }}
  securityContext:
    {{- toYaml .Values.podSecurityContext | nindent 4 }}
  {{- with .Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if and (eq .Values.controller.kind "Deployment") .Values.topologySpreadConstraints }}
  topologySpreadConstraints:
    {{- include "evener.spread" . | nindent 4 }}
  {{- end }}
  containers:
    - name: evener
      image: {{ include "evener.image" . | quote }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      args:
        {{- toYaml (include "evener.args" . | fromJson).items | nindent 8 }}
      env:
        # Written into the Lease and into Events; in the node's network the host name would be the node's.
        - name: POD_NAME
          valueFrom:
            fieldRef:
              apiVersion: v1
              fieldPath: metadata.name
        - name: POD_NAMESPACE
          valueFrom:
            fieldRef:
              apiVersion: v1
              fieldPath: metadata.namespace
        # For whoever runs `evener status` or `evener ctl` in the container.
        - name: EVENER_RUN_DIR
          value: /run/evener/live
        {{- if not .Values.zone }}
        - name: EVENER_ZONE
          valueFrom:
            fieldRef:
              apiVersion: v1
              fieldPath: metadata.labels['topology.kubernetes.io/zone']
        {{- end }}
        {{- with .Values.extraEnvs }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      ports:
        {{- include "evener.containerPorts" . | trim | nindent 8 }}
      startupProbe:
        {{- include "evener.probe" (list "/healthz" .Values.probes.startup) | nindent 8 }}
      livenessProbe:
        {{- include "evener.probe" (list "/healthz" .Values.probes.liveness) | nindent 8 }}
      readinessProbe:
        {{- include "evener.probe" (list "/readyz" .Values.probes.readiness) | nindent 8 }}
      {{- with .Values.lifecycle }}
      lifecycle:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .Values.resources }}
      resources:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      securityContext:
        {{- toYaml .Values.securityContext | nindent 8 }}
      volumeMounts:
        - name: run
          mountPath: /run/evener
        - name: tmp
          mountPath: /tmp
        - name: api-access
          mountPath: /var/run/secrets/kubernetes.io/serviceaccount
          readOnly: true
        {{- with .Values.extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
  volumes:
    # Keys never touch a disk.
    - name: run
      emptyDir:
        medium: Memory
        sizeLimit: {{ .Values.volumes.runSizeLimit }}
    - name: tmp
      emptyDir:
        sizeLimit: {{ .Values.volumes.tmpSizeLimit }}
    # With runAsUser set and no fsGroup, the node gives the token to that user with mode 0600, whatever defaultMode says; the
    # other two files are no secrets.
    - name: api-access
      projected:
        defaultMode: 0444
        sources:
          - serviceAccountToken:
              path: token
              expirationSeconds: {{ .Values.volumes.tokenExpirationSeconds }}
          - configMap:
              name: kube-root-ca.crt
              items:
                - key: ca.crt
                  path: ca.crt
          - downwardAPI:
              items:
                - path: namespace
                  fieldRef:
                    apiVersion: v1
                    fieldPath: metadata.namespace
    {{- with .Values.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end -}}
