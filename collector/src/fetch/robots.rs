//! robots.txt (RFC 9309).

use std::time::Duration;

use texting_robots::Robot;
use tokio::time::Instant;
use url::Url;

/// How long an answer holds (RFC 9309 allows up to a day).
const HOLDS: Duration = Duration::from_secs(3_600);
/// Longest delay that a site can ask for.
const LONGEST_DELAY: Duration = Duration::from_secs(60);

/// What is read of a file, in bytes: twice the 500 KiB that RFC 9309 asks for.
const LARGEST: usize = 1024 * 1024;
/// Signs `$` in it, at most: a rule with one takes up to some hundred kilobytes of memory.
const MOST_ENDS: usize = 1_000;

/// What a host allows.
#[derive(Debug)]
pub(crate) struct Robots {
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
    /// Of a file; one that is none, or that would take much memory, allows nothing.
    pub(crate) fn read(agent: &str, bytes: &[u8]) -> Self {
        let name = agent.split(['/', ' ']).next().unwrap_or(agent);
        let bytes = match bytes.get(..LARGEST) {
            // A rule cut off would be another one.
            Some(begin) => {
                let end = begin.iter().rposition(|byte| matches!(byte, b'\n' | b'\r'));
                begin.get(..end.unwrap_or(0)).unwrap_or_default()
            }
            None => bytes,
        };
        let ends = bytes.iter().filter(|byte| **byte == b'$').count();
        let robot = match ends <= MOST_ENDS {
            true => Robot::new(name, bytes).ok(),
            false => None,
        };
        let rules = robot.map_or(Rules::None, |robot| Rules::Told(Box::new(robot)));
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

    pub(crate) fn allows(&self, url: &Url) -> bool {
        match &self.rules {
            Rules::All => true,
            Rules::None => false,
            Rules::Told(robot) => robot.allowed(url.as_str()),
        }
    }

    pub(crate) fn delay(&self) -> Option<Duration> {
        match &self.rules {
            Rules::Told(robot) => robot
                .delay
                .filter(|seconds| seconds.is_finite() && *seconds > 0.0)
                .map(|seconds| Duration::from_secs_f32(seconds.min(LONGEST_DELAY.as_secs_f32()))),
            Rules::All | Rules::None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGENT: &str = "Wensheng/0.1 (+https://county.example.test/)";

    fn allows(rules: &str, path: &str) -> bool {
        let url = format!("https://site.test{path}").parse().unwrap();
        Robots::read(AGENT, rules.as_bytes()).allows(&url)
    }

    /// After RFC 9309, section by section.
    #[test]
    fn rules_are_read_as_the_standard_says() {
        for (rules, path, expected) in [
            // 2.2.1: the group of the agent's own name, however written; else that of all; else none.
            ("User-agent: wensheng\nDisallow: /a", "/a", false),
            ("USER-AGENT: WenSheng\ndisallow:/a", "/a", false),
            (
                "User-agent: *\nDisallow: /a\n\nUser-agent: Wensheng\nDisallow: /b",
                "/a",
                true,
            ),
            (
                "User-agent: *\nDisallow: /a\n\nUser-agent: Wensheng\nDisallow: /b",
                "/b",
                false,
            ),
            ("User-agent: other\nDisallow: /", "/a", true),
            ("User-agent: *\nDisallow: /", "/a", false),
            (
                "User-agent: other\nUser-agent: wensheng\nDisallow: /a",
                "/a",
                false,
            ),
            (
                "User-agent: wensheng\nDisallow: /a\n\nUser-agent: x\nDisallow: /c\n\nUser-agent: wensheng\nDisallow: /b",
                "/a",
                false,
            ),
            (
                "User-agent: wensheng\nDisallow: /a\n\nUser-agent: x\nDisallow: /c\n\nUser-agent: wensheng\nDisallow: /b",
                "/b",
                false,
            ),
            // Of no group: the standard says nothing; it is honoured.
            ("Disallow: /", "/a", false),
            // 2.2.2: the longest match holds; of two alike the one that allows; paths are told by letter case.
            (
                "User-agent: *\nAllow: /example/page/\nDisallow: /example/page/disallowed.gif",
                "/example/page/",
                true,
            ),
            (
                "User-agent: *\nAllow: /example/page/\nDisallow: /example/page/disallowed.gif",
                "/example/page/disallowed.gif",
                false,
            ),
            (
                "User-agent: *\nDisallow: /page\nAllow: /page",
                "/page",
                true,
            ),
            ("User-agent: *\nDisallow: /Page", "/page", true),
            ("User-agent: *\nDisallow:", "/a", true),
            ("User-agent: *\nDisallow: /\nAllow: /$", "/", true),
            ("User-agent: *\nDisallow: /\nAllow: /$", "/a", false),
            // Letters beyond ASCII under their percent signs or not.
            (
                "User-agent: *\nDisallow: /foo/bar/ツ",
                "/foo/bar/%E3%83%84",
                false,
            ),
            (
                "User-agent: *\nDisallow: /foo/bar/%E3%83%84",
                "/foo/bar/ツ",
                false,
            ),
            ("User-agent: *\nDisallow: /政务", "/政务/1.html", false),
            // 2.2.3: `*`, `$` and `#`.
            ("User-agent: *\nDisallow: /*.gif$", "/a/b.gif", false),
            ("User-agent: *\nDisallow: /*.gif$", "/a/b.gif?x=1", true),
            ("User-agent: *\nDisallow: /a*/c", "/a/b/c", false),
            (
                "User-agent: * # all\nDisallow: /a # and below",
                "/a/b",
                false,
            ),
            ("User-agent: *\nDisallow: /*?", "/list?page=2", false),
            // 2.2.4: other records are ignored, and part no group.
            (
                "Sitemap: https://site.test/s.xml\nUser-agent: *\nSitemap: https://site.test/t.xml\nDisallow: /a",
                "/a",
                false,
            ),
            // Files as they come: a mark at the front, ends of lines of all kinds, spaces, tabs.
            ("\u{feff}User-agent: *\nDisallow: /a", "/a", false),
            ("User-agent: *\r\nDisallow: /a\r\n", "/a", false),
            ("User-agent: *\rDisallow: /a\r", "/a", false),
            ("  User-agent :  *  \n\tDisallow :\t/a  ", "/a", false),
            ("User-agent: *\n\n\nDisallow: /a", "/a", false),
            ("", "/a", true),
            ("<html><body>404</body></html>", "/a", true),
        ] {
            assert_eq!(allows(rules, path), expected, "{path} by {rules:?}");
        }
    }

    #[test]
    fn a_delay_is_kept_within_reason() {
        for (told, seconds) in [
            ("5", Some(5)),
            ("0.5", None),
            ("86400", Some(60)),
            ("-1", None),
            ("x", None),
        ] {
            let rules = format!("User-agent: *\nCrawl-delay: {told}\nDisallow: /a");
            let delay = Robots::read(AGENT, rules.as_bytes()).delay();
            match seconds {
                Some(seconds) => assert_eq!(delay, Some(Duration::from_secs(seconds)), "{told}"),
                None => assert!(
                    delay.is_none_or(|delay| delay < Duration::from_secs(1)),
                    "{told}"
                ),
            }
        }
    }

    #[test]
    fn a_file_as_large_as_may_be_is_read() {
        let mut rules = "User-agent: *\n".to_owned();
        while rules.len() < 500 * 1024 {
            rules.push_str("Disallow: /nothing/of/interest/here\n");
        }
        rules.push_str("Disallow: /a\n");
        assert!(allows(&rules, "/b"));
        assert!(
            !allows(&rules, "/a"),
            "beyond the 500 KiB that must be read too"
        );
        rules.push_str("Disallow: /c");
        rules.push_str(&"c".repeat(LARGEST));
        assert!(
            !allows(&rules, "/a") && allows(&rules, "/c"),
            "no rule is cut"
        );
    }

    #[test]
    fn a_file_made_to_take_memory_is_none_that_allows_anything() {
        let usual = "Disallow: /*.pdf$\n".repeat(200);
        assert!(allows(&format!("User-agent: *\n{usual}"), "/b"));
        let mut rules = "User-agent: *\n".to_owned();
        for number in 0..170_000 {
            rules.push_str(&format!("Disallow: /*{number}$\n"));
        }
        assert!(!allows(&rules, "/b"));
    }
}
