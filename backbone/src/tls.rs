//! The TLS provider that every HTTPS client of Wensheng uses.

/// Chooses the process's TLS provider; to be called before the first HTTPS client is built. A
/// second call changes nothing.
pub fn install() {
    if rustls::crypto::ring::default_provider()
        .install_default()
        .is_err()
    {
        tracing::debug!("the TLS provider is chosen already");
    }
}
