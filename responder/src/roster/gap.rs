//! Times in which a post is no one's.

use jiff::Timestamp;
use serde::Serialize;

use super::{Post, Shift};

/// A time in which a post is no one's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// The post.
    pub post: Post,
    /// Its begin.
    pub from: Timestamp,
    /// Its end.
    pub until: Timestamp,
}

/// The gaps of each post between two moments, by post and time.
#[must_use]
pub fn gaps(shifts: &[Shift], from: Timestamp, until: Timestamp) -> Vec<Gap> {
    let mut gaps = Vec::new();
    for post in Post::ALL {
        let mut held: Vec<(Timestamp, Timestamp)> = (shifts.iter())
            .filter(|shift| shift.post == post)
            .map(|shift| (shift.from, shift.until))
            .collect();
        held.sort_unstable();
        let mut covered = from;
        for (begin, end) in held {
            if begin > covered && covered < until {
                gaps.push(Gap {
                    post,
                    from: covered,
                    until: begin.min(until),
                });
            }
            covered = covered.max(end);
        }
        if covered < until {
            gaps.push(Gap {
                post,
                from: covered,
                until,
            });
        }
    }
    gaps
}
