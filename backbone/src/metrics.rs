//! Metrics, declared once per process with [`metrics!`](crate::metrics!): a field's documentation
//! is its help text, its name with the process's prefix the metric's name.

pub use prometheus;

/// Declares a struct of Prometheus metrics with a `new(registry)` that registers them all.
///
/// A field is a counter, gauge or histogram, or a vector of those with label names in brackets.
///
/// ```
/// backbone::metrics! {
///     /// What the lamp does.
///     pub struct Metrics("lamp") {
///         /// Times it was lit.
///         lit_total: IntCounter,
///         /// Seconds it burned, by colour.
///         burned_seconds: HistogramVec["colour"],
///     }
/// }
/// let registry = backbone::metrics::prometheus::Registry::new();
/// let metrics = Metrics::new(&registry).unwrap();
/// metrics.lit_total.inc();
/// assert_eq!(registry.gather()[0].name(), "lamp_lit_total");
/// ```
#[macro_export]
macro_rules! metrics {
    (
        $(#[doc = $about:literal])*
        $visibility:vis struct $name:ident($prefix:literal) {
            $($(#[doc = $help:literal])+ $field:ident: $kind:ident $([$($label:literal),+])?,)*
        }
    ) => {
        $(#[doc = $about])*
        #[derive(Debug, Clone)]
        $visibility struct $name {
            $($(#[doc = $help])+ pub $field: $crate::metrics::prometheus::$kind,)*
        }

        impl $name {
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
                    let $field = $crate::metric!(options, $kind $([$($label),+])?)?;
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
    ($options:ident, $kind:ident[$($label:literal),+]) => {
        $crate::metrics::prometheus::$kind::new($options.into(), &[$($label),+])
    };
}
