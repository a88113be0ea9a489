//! What the responder counts.

backbone::metrics! {
    /// The responder's metrics.
    pub struct Metrics("wensheng_responder") {
        /// Alerts taken in, by what became of them: opened, raised, known.
        alerts_total: IntCounterVec["outcome"],
        /// Seconds from the publication of the post that raised an alert to its case.
        publication_to_case_seconds: Histogram,
        /// Case events and edits of events not yet acknowledged by Kafka.
        outbox_depth: IntGauge,
        /// Case events sent.
        case_events_total: IntCounter,
        /// Notices not yet delivered.
        notices_due: IntGauge,
        /// Notices, by channel and outcome: sent, retried, failed.
        notices_total: IntCounterVec["channel", "outcome"],
        /// Requests to the console, by route and status.
        console_requests_total: IntCounterVec["route", "status"],
        /// Sign-ins refused.
        sign_in_failures_total: IntCounter,
    }
}
