//! Prints the metrics that the three processes declare, a line of JSON each: what `tests/deploy/run` checks alert rules
//! and dashboards against. A metric is in a process's `/metrics` only once it was counted, so that is no list of them.

use std::io::Write;

use backbone::kafka::ConsumerMetrics;

fn main() -> std::io::Result<()> {
    let processes = [
        ("collector", collector::metrics::Metrics::DECLARED),
        ("analyzer", analyzer::metrics::Metrics::DECLARED),
        ("responder", responder::metrics::Metrics::DECLARED),
        ("analyzer", ConsumerMetrics::DECLARED),
        ("responder", ConsumerMetrics::DECLARED),
    ];
    let mut out = std::io::stdout().lock();
    for (process, declared) in processes {
        for metric in declared {
            let line = serde_json::json!({
                "process": process, "name": metric.name, "kind": metric.kind, "labels": metric.labels,
            });
            writeln!(out, "{line}")?;
        }
    }
    Ok(())
}
