// SPDX-License-Identifier: Apache-2.0
/** The Grafana dashboard, as a list of panels; files/dashboard.json is made of it. */

interface Query {
  readonly expr: string;
  readonly legend: string;
}

interface Panel {
  readonly title: string;
  readonly description: string;
  readonly unit: string;
  readonly type?: "timeseries" | "stat" | "table";
  readonly queries: readonly Query[];
  /** In 24ths of the page. */
  readonly width?: number;
}

interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

const SCOPE = `job=~"$job", pod=~"$pod"`;

const ROWS: readonly Row[] = [
  {
    title: "State",
    panels: [
      stat("Replicas", "Pods that are scraped.", "none", `sum(evener_build_info{${SCOPE}})`),
      stat(
        "Configuration live",
        "1 when every pod serves the newest configuration.",
        "none",
        `min(evener_config_last_reload_successful{${SCOPE}})`,
      ),
      stat(
        "Leaders",
        "1 is right; the leader writes the status of Ingresses.",
        "none",
        `sum(evener_leader_election_status{${SCOPE}})`,
      ),
      stat(
        "Problems",
        "Objects that are left out, in part or whole.",
        "none",
        `max(sum by (pod) (evener_problems{${SCOPE}}))`,
      ),
      stat(
        "First certificate to expire",
        "Time until the first certificate expires.",
        "s",
        `min(evener_ssl_expire_time_seconds{${SCOPE}}) - time()`,
      ),
      stat(
        "Generations of Hitch",
        "1, and one for each older one that still has connections.",
        "none",
        `max(evener_hitch_generations{${SCOPE}})`,
      ),
    ],
  },
  {
    title: "Traffic",
    panels: [
      graph("Connections open", "By listener.", "none", [
        { expr: `sum by (listener) (evener_connections_active{${SCOPE}})`, legend: "{{listener}}" },
      ]),
      graph("New connections", "By listener.", "cps", [
        {
          expr: `sum by (listener) (rate(evener_connections_total{${SCOPE}}[$__rate_interval]))`,
          legend: "{{listener}}",
        },
      ]),
      graph("Bytes", "In came from clients, out from endpoints.", "Bps", [
        {
          expr: `sum by (direction) (rate(evener_bytes_total{${SCOPE}}[$__rate_interval]))`,
          legend: "{{direction}}",
        },
      ]),
      graph("Requests", "By status code (HTTP lane).", "reqps", [
        {
          expr: `sum by (code) (rate(evener_http_requests_total{${SCOPE}}[$__rate_interval]))`,
          legend: "{{code}}",
        },
      ]),
      graph("Duration of requests", "Median and 99th percentile (HTTP lane).", "s", [
        quantile(0.5, "evener_http_request_duration_seconds"),
        quantile(0.99, "evener_http_request_duration_seconds"),
      ]),
      graph("Refused connections", "Closed without reaching an endpoint, by reason.", "cps", [
        {
          expr: `sum by (listener, reason) (rate(evener_connections_refused_total{${SCOPE}}[$__rate_interval]))`,
          legend: "{{listener}} {{reason}}",
        },
      ]),
    ],
  },
  {
    title: "Endpoints",
    panels: [
      graph("Failed connections to endpoints", "By pool.", "cps", [
        {
          expr: `topk(10, sum by (pool) (rate(evener_endpoint_connect_failures_total{${SCOPE}}[$__rate_interval])))`,
          legend: "{{pool}}",
        },
      ]),
      graph("Endpoints that are down", "As the pods see them.", "none", [
        { expr: `sum by (pool) (evener_endpoint_up{${SCOPE}} == bool 0) > 0`, legend: "{{pool}}" },
      ]),
    ],
  },
  {
    title: "Configuration",
    panels: [
      graph("Reloads", "By child, reason and result.", "ops", [
        {
          expr: `sum by (child, reason, result) (rate(evener_reloads_total{${SCOPE}}[$__rate_interval]))`,
          legend: "{{child}} {{reason}} {{result}}",
        },
      ]),
      graph("Time of a sync", "From the start of a rebuild until its result is live.", "s", [
        quantile(0.5, "evener_sync_duration_seconds"),
        quantile(0.99, "evener_sync_duration_seconds"),
      ]),
      graph("Restarts of children", "A child that ended was started again.", "none", [
        {
          expr: `sum by (child, pod) (increase(evener_child_restarts_total{${SCOPE}}[$__rate_interval]))`,
          legend: "{{child}} {{pod}}",
        },
      ]),
      graph("Problems", "By kind of the object and reason.", "none", [
        { expr: `max by (kind, reason) (evener_problems{${SCOPE}})`, legend: "{{kind}} {{reason}}" },
      ]),
    ],
  },
  {
    title: "Certificates",
    panels: [
      {
        title: "Next to expire",
        description: "Time until each certificate expires, the soonest first.",
        unit: "s",
        type: "table",
        width: 24,
        queries: [
          {
            expr: `sort(min by (host, namespace, secret_name) (evener_ssl_expire_time_seconds{${SCOPE}}) - time())`,
            legend: "",
          },
        ],
      },
    ],
  },
];

export function renderDashboard(): string {
  const panels: unknown[] = [];
  let y = 0;
  for (const row of ROWS) {
    panels.push({
      id: panels.length + 1,
      type: "row",
      title: row.title,
      collapsed: false,
      gridPos: { x: 0, y, w: 24, h: 1 },
      panels: [],
    });
    y += 1;
    let x = 0;
    let height = 0;
    for (const panel of row.panels) {
      const width = panel.width ?? 12;
      const h = panel.type === "stat" ? 4 : 8;
      if (x + width > 24) {
        x = 0;
        y += height;
      }
      height = h;
      panels.push(toPanel(panel, panels.length + 1, { x, y, w: width, h }));
      x += width;
    }
    y += height;
  }
  return `${JSON.stringify({ ...FRAME, panels }, null, 2)}\n`;
}

// A variable of Grafana, not of JavaScript.
const DATASOURCE = { type: "prometheus", uid: "$datasource" };

function toPanel(panel: Panel, id: number, gridPos: object): object {
  const type = panel.type ?? "timeseries";
  return {
    id,
    type,
    title: panel.title,
    description: panel.description,
    datasource: DATASOURCE,
    gridPos,
    fieldConfig: {
      defaults: { unit: panel.unit, min: type === "timeseries" ? 0 : undefined },
      overrides: [],
    },
    targets: panel.queries.map(({ expr, legend }, index) => ({
      refId: String.fromCharCode(65 + index),
      datasource: DATASOURCE,
      expr,
      legendFormat: legend,
      ...(type === "timeseries" ? { range: true } : { instant: true, range: false }),
      ...(type === "table" ? { format: "table" } : {}),
    })),
  };
}

const FRAME = {
  uid: "evener",
  title: "Evener",
  description: "Evener: connections, endpoints, configuration and certificates.",
  tags: ["evener", "ingress"],
  schemaVersion: 39,
  editable: true,
  graphTooltip: 1,
  refresh: "30s",
  time: { from: "now-3h", to: "now" },
  timezone: "browser",
  templating: {
    list: [
      { name: "datasource", label: "Data source", type: "datasource", query: "prometheus" },
      variable("job", "Job", "label_values(evener_build_info, job)"),
      variable("pod", "Pod", 'label_values(evener_build_info{job=~"$job"}, pod)'),
    ],
  },
};

function variable(name: string, label: string, query: string): object {
  return {
    name,
    label,
    type: "query",
    datasource: DATASOURCE,
    definition: query,
    query: { query, refId: name },
    refresh: 2,
    includeAll: true,
    multi: true,
    allValue: ".*",
    current: { text: "All", value: "$__all" },
  };
}

function stat(title: string, description: string, unit: string, expr: string): Panel {
  return { title, description, unit, type: "stat", width: 4, queries: [{ expr, legend: "" }] };
}

function graph(title: string, description: string, unit: string, queries: readonly Query[]): Panel {
  return { title, description, unit, queries };
}

function quantile(share: number, metric: string): Query {
  return {
    expr: `histogram_quantile(${share}, sum by (le) (rate(${metric}_bucket{${SCOPE}}[$__rate_interval])))`,
    legend: `p${share * 100}`,
  };
}
