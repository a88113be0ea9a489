//! Events: posts of the same matter belong together.

mod signature;
mod window;

pub use signature::{Neighbours, Signature};
pub use window::{Event, Joined, Window};
