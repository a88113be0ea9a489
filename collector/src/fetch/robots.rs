//! robots.txt (RFC 9309).

use std::time::Duration;

use texting_robots::Robot;
use tokio::time::Instant;
use url::Url;

/// How long an answer holds (RFC 9309 allows up to a day).
const HOLDS: Duration = Duration::from_secs(3_600);
/// Longest delay that a site can ask for.
const LONGEST_DELAY: Duration = Duration::from_secs(60);

/// What a host allows.
#[derive(Debug)]
pub(super) struct Robots {
    rules: Rules,
    read_at: Instant,
}

#[derive(Debug)]
enum Rules {
    All,
    None,
    Told(Box<Robot>),
}

impl Robots {
    /// Of a file; one that is none allows nothing.
    pub(super) fn read(agent: &str, bytes: &[u8]) -> Self {
        let name = agent.split(['/', ' ']).next().unwrap_or(agent);
        let rules =
            Robot::new(name, bytes).map_or(Rules::None, |robot| Rules::Told(Box::new(robot)));
        Self::of(rules)
    }

    pub(super) fn all_allowed() -> Self {
        Self::of(Rules::All)
    }

    fn of(rules: Rules) -> Self {
        Self {
            rules,
            read_at: Instant::now(),
        }
    }

    pub(super) fn is_old(&self) -> bool {
        self.read_at.elapsed() > HOLDS
    }

    pub(super) fn allows(&self, url: &Url) -> bool {
        match &self.rules {
            Rules::All => true,
            Rules::None => false,
            Rules::Told(robot) => robot.allowed(url.as_str()),
        }
    }

    pub(super) fn delay(&self) -> Option<Duration> {
        match &self.rules {
            Rules::Told(robot) => robot
                .delay
                .filter(|seconds| seconds.is_finite() && *seconds > 0.0)
                .map(|seconds| Duration::from_secs_f32(seconds.min(LONGEST_DELAY.as_secs_f32()))),
            Rules::All | Rules::None => None,
        }
    }
}
