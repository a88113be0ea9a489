//! What the responder counts.

use backbone::metrics::FROM_PUBLICATION;

backbone::metrics! {
    /// The responder's metrics.
    pub struct Metrics("wensheng_responder") {
        /// Alerts taken in, by what became of them: opened, raised, known.
        alerts_total: IntCounterVec["outcome"],
        /// Seconds from the publication of the post that raised an alert to its case.
        publication_to_case_seconds: Histogram in FROM_PUBLICATION,
        /// Case events and edits of events not yet acknowledged by Kafka.
        outbox_depth: IntGauge,
        /// Case events sent.
        case_events_total: IntCounter,
        /// Notices that wait, by channel.
        notices_waiting: IntGaugeVec["channel"],
        /// Tries to send a notice, by channel and outcome: sent, retried (later by the same channel), moved-on (to the contact's
        /// next channel), given-up.
        notices_total: IntCounterVec["channel", "outcome"],
        /// Whether a channel is used: 0, it is; 1, one notice is tried; 2, it failed too often and is left alone for a while.
        channel_circuit: IntGaugeVec["channel"],
        /// Requests to the console, by route and status.
        console_requests_total: IntCounterVec["route", "status"],
        /// Seconds until a request to the console or the API began to be answered, by route.
        console_request_seconds: HistogramVec["route"],
        /// Streams of live posts that are open.
        live_viewers: IntGauge,
        /// Posts that streams passed over because their viewers were slow or too many came at once.
        live_posts_skipped_total: IntCounter,
        /// Sign-ins refused.
        sign_in_failures_total: IntCounter,
    }
}
