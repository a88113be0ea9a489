//! Events: posts of the same matter belong together.
//!
//! A post joins the event it is most like within the window, see [`profile`](Profile): at least by `least_similarity`, and half as
//! much again when no post of the event has its subject, for unlike matters of one estate share the estate's name. The numbers
//! were tuned on 42 hot matters of the message board that the project read and grouped (`tests/hot_matters.tsv`), on which they
//! reach a pair-F1 of 0.848 (precision 0.959, recall 0.760); there is no second set to confirm them.

mod profile;
mod window;

pub use profile::Profile;
pub use window::{Event, Joined, Window};
