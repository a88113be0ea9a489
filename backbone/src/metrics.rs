//! Metrics, declared once per process with [`metrics!`](crate::metrics!): a field's documentation
//! is its help text, its name with the process's prefix the metric's name.

pub use prometheus;

/// A metric as it is declared, so that what is built on it (alert rules, dashboards) can be checked against it: what was
/// not counted yet is not in a process's `/metrics`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Declared {
    /// Its whole name.
    pub name: &'static str,
    /// Its type, such as `IntGaugeVec`.
    pub kind: &'static str,
    /// The names of its labels.
    pub labels: &'static [&'static str],
}

/// Bounds for seconds since a post was published: it is mostly minutes until a source is read again, and hours where it is
/// read seldom.
pub const FROM_PUBLICATION: [f64; 12] = [
    1.0, 5.0, 15.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0, 21600.0, 86400.0,
];

/// Declares a struct of Prometheus metrics with a `new(registry)` that registers them all, and a list `DECLARED` of them.
///
/// A field is a counter, gauge or histogram, or a vector of those with label names in brackets. What a histogram tells
/// apart may follow after `in`: the upper bounds of its buckets.
///
/// ```
/// backbone::metrics! {
///     /// What the lamp does.
///     pub struct Metrics("lamp") {
///         /// Times it was lit.
///         lit_total: IntCounter,
///         /// Seconds it burned, by colour.
///         burned_seconds: HistogramVec["colour"],
///         /// Seconds it was dark.
///         dark_seconds: Histogram in [60.0, 3600.0],
///     }
/// }
/// let registry = backbone::metrics::prometheus::Registry::new();
/// let metrics = Metrics::new(&registry).unwrap();
/// metrics.lit_total.inc();
/// metrics.dark_seconds.observe(90.0);
/// let dark = &registry.gather()[0];
/// assert_eq!(dark.name(), "lamp_dark_seconds");
/// assert_eq!(dark.get_metric()[0].get_histogram().get_bucket()[1].cumulative_count(), 1);
/// assert_eq!(Metrics::DECLARED[1].name, "lamp_burned_seconds");
/// assert_eq!(Metrics::DECLARED[1].labels, ["colour"]);
/// ```
#[macro_export]
macro_rules! metrics {
    (
        $(#[doc = $about:literal])*
        $visibility:vis struct $name:ident($prefix:literal) {
            $($(#[doc = $help:literal])+ $field:ident: $kind:ident $([$($label:literal),+])? $(in $buckets:expr)?,)*
        }
    ) => {
        $(#[doc = $about])*
        #[derive(Debug, Clone)]
        $visibility struct $name {
            $($(#[doc = $help])+ pub $field: $crate::metrics::prometheus::$kind,)*
        }

        impl $name {
            /// The metrics as declared.
            pub const DECLARED: &[$crate::metrics::Declared] = &[$($crate::metrics::Declared {
                name: concat!($prefix, "_", stringify!($field)),
                kind: stringify!($kind),
                labels: &[$($($label),+)?],
            }),*];

            /// Makes the metrics and registers them.
            ///
            /// # Errors
            /// When one of their names is registered already.
            $visibility fn new(
                registry: &$crate::metrics::prometheus::Registry,
            ) -> Result<Self, $crate::metrics::prometheus::Error> {
                $(
                    let options = $crate::metrics::prometheus::Opts::new(
                        concat!($prefix, "_", stringify!($field)),
                        [$($help),+].concat().trim(),
                    );
                    let $field = $crate::metric!(options, $kind $([$($label),+])? $(in $buckets)?)?;
                    registry.register(Box::new($field.clone()))?;
                )*
                Ok(Self { $($field),* })
            }
        }
    };
}

/// Makes one metric of [`metrics!`](crate::metrics!): vectors take their labels beside the options.
#[doc(hidden)]
#[macro_export]
macro_rules! metric {
    ($options:ident, $kind:ident) => {
        $crate::metrics::prometheus::$kind::with_opts($options.into())
    };
    ($options:ident, $kind:ident in $buckets:expr) => {
        $crate::metrics::prometheus::$kind::with_opts(
            $crate::metrics::prometheus::HistogramOpts::from($options).buckets($buckets.to_vec()),
        )
    };
    ($options:ident, $kind:ident[$($label:literal),+]) => {
        $crate::metrics::prometheus::$kind::new($options.into(), &[$($label),+])
    };
}
