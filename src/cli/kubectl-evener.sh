#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# kubectl plugin: finds an Evener pod and runs `evener status` or `evener ctl` in it.
set -eu

usage() {
  cat <<'EOF'
Usage: kubectl evener [options] status [arguments]   what is served (evener status)
       kubectl evener [options] ctl [arguments]      Balance's control socket (evener ctl)
       kubectl evener [options] page [port]          the inspection page (--inspection) on this machine, port 10354
       kubectl evener [options] pods                 the pods there are

Options, before the command:
  -n, --namespace NAME    where to look (default: in all namespaces)
  -l, --selector LABELS   which pods (default: app.kubernetes.io/name=evener)
      --pod NAME          this one; needs --namespace
  -c, --container NAME    container in it (default: evener)
      --context NAME, --kubeconfig FILE   as for kubectl

Exit status: that of the command; 64 on usage, 69 when there is no pod.
EOF
}

fail() {
  status=$1
  shift
  echo "kubectl-evener: $*" >&2
  exit "$status"
}

need() {
  [ "$2" -ge 2 ] || fail 64 "$1 needs a value"
}

# A plugin's usual words for kubectl itself; each value is one argument, whatever is in it.
kubectl() {
  command "${EVENER_KUBECTL:-kubectl}" ${context+"--context=$context"} ${kubeconfig+"--kubeconfig=$kubeconfig"} "$@"
}

selector=app.kubernetes.io/name=evener
container=evener
namespace=
pod=
unset context kubeconfig
while [ $# -gt 0 ]; do
  case $1 in
    -n | --namespace) need "$1" $#; namespace=$2; shift 2 ;;
    -l | --selector) need "$1" $#; selector=$2; shift 2 ;;
    -c | --container) need "$1" $#; container=$2; shift 2 ;;
    --pod) need "$1" $#; pod=$2; shift 2 ;;
    --context) need "$1" $#; context=$2; shift 2 ;;
    --kubeconfig) need "$1" $#; kubeconfig=$2; shift 2 ;;
    --namespace=* | --selector=* | --container=* | --pod=* | --context=* | --kubeconfig=*)
      name=${1%%=*}
      value=${1#*=}
      shift
      set -- "$name" "$value" "$@"
      ;;
    -h | --help | help) usage; exit 0 ;;
    -*) fail 64 "$1 is no option (kubectl evener --help)" ;;
    *) break ;;
  esac
done
[ $# -gt 0 ] || { usage >&2; exit 64; }
command=$1
shift

list_pods() {
  # NAMESPACE NAME READY, a line each.
  if [ -n "$namespace" ]; then set -- --namespace="$namespace"; else set -- --all-namespaces; fi
  kubectl get pods "$@" --selector="$selector" --field-selector=status.phase=Running --output=jsonpath='{range .items[*]}{.metadata.namespace}{" "}{.metadata.name}{" "}{.status.conditions[?(@.type=="Ready")].status}{"\n"}{end}'
}

find_pod() {
  if [ -n "$pod" ]; then
    [ -n "$namespace" ] || fail 64 "--pod needs --namespace"
    return
  fi
  pods=$(list_pods) || fail 69 "the pods can't be listed; --namespace says where they are"
  # One that is ready before one that is not.
  line=$(printf '%s\n' "$pods" | awk '$3 == "True" { print; found = 1; exit } NF && !first { first = $0 } END { if (!found && first) print first }')
  [ -n "$line" ] || fail 69 "no running pod has the labels $selector"
  namespace=${line%% *}
  pod=${line#* }
  pod=${pod%% *}
}

case $command in
  status | ctl)
    find_pod
    # With a terminal there, too, Ctrl-C reaches the command; otherwise `ctl follow` would go on in the pod for nobody.
    if [ -t 0 ] && [ -t 1 ]; then
      kubectl exec --stdin --tty --namespace="$namespace" "$pod" --container="$container" -- evener "$command" "$@"
    else
      kubectl exec --namespace="$namespace" "$pod" --container="$container" -- evener "$command" "$@"
    fi
    ;;
  page)
    [ $# -le 1 ] || fail 64 "page takes one port"
    port=${1:-10354}
    case $port in
      *[!0-9]* | '') fail 64 "$port is no port" ;;
    esac
    find_pod
    echo "http://localhost:$port/ shows $namespace/$pod; Ctrl-C ends it" >&2
    kubectl port-forward --namespace="$namespace" --address=127.0.0.1 "pod/$pod" "$port:${EVENER_INSPECTION_PORT:-10354}"
    ;;
  pods)
    [ $# -eq 0 ] || fail 64 "pods takes no argument"
    list_pods
    ;;
  *) fail 64 "$command is none of status, ctl, page and pods (kubectl evener --help)" ;;
esac
