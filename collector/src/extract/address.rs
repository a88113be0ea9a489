//! Addresses as posts are known by: without what changes from visit to visit.

use url::Url;

/// Parameters that say how a visitor came, or who it is.
const TRACKING: [&str; 19] = [
    "spm",
    "scm",
    "from_source",
    "share_token",
    "share_source",
    "share_medium",
    "isappinstalled",
    "sharer_sharetime",
    "sharer_shareid",
    "nsukey",
    "fbclid",
    "gclid",
    "bd_vid",
    "hmsr",
    "jsessionid",
    "phpsessid",
    "aspsessionid",
    "sessionid",
    "_t",
];
/// Letters and digits of a session's name, at least.
const SESSION: usize = 16;
/// Names that one site has for its desktop and its phones.
const SAME_SITE: [&str; 5] = ["www", "m", "wap", "3g", "mobile"];

/// The canonical form: no fragment, no parameters that only track visits, no session in the path, and of a thread of
/// Discuz nothing of the list that one came from.
#[must_use]
pub fn canonical(mut url: Url) -> Url {
    url.set_fragment(None);
    let path = url.path().to_owned();
    if let Some((before, session)) = path.split_once(';')
        && session.to_ascii_lowercase().starts_with("jsessionid=")
    {
        url.set_path(before);
    }
    let thread = thread(&url);
    let tracks = |name: &str| {
        let name = name.to_ascii_lowercase();
        name.starts_with("utm_") || TRACKING.contains(&name.as_str())
    };
    // The name is an article's number elsewhere: /show.jsp?sid=100.
    let is_session = |name: &str, value: &str| {
        name.eq_ignore_ascii_case("sid")
            && value.len() >= SESSION
            && value.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    // Kept as written: many a board's parameters are GBK under their percent signs.
    let kept: Option<Vec<&str>> = url.query().map(|query| {
        query
            .split('&')
            .filter(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                let is_list = thread.is_some() && name == "extra";
                !tracks(name) && !is_session(name, value) && !is_list
            })
            .collect()
    });
    let query = kept
        .map(|kept| kept.join("&"))
        .filter(|kept| !kept.is_empty());
    url.set_query(query.as_deref());
    if let Some(thread) = thread
        && url.path().ends_with(THREAD_END)
    {
        url.set_path(&thread);
    }
    url
}

/// What the short addresses of threads end with.
const THREAD_END: &str = ".html";

/// The short path of a thread of a Discuz forum, `thread-7-1-1.html`: its number, its page, and the page of the list that
/// one came from, which is always the first here. The same thread is `forum.php?mod=viewthread&tid=7` too.
fn thread(url: &Url) -> Option<String> {
    let (folder, file) = url.path().rsplit_once('/')?;
    let of = |wanted: &str| {
        let mut pairs = url.query_pairs();
        pairs.find_map(|(name, value)| (name == wanted).then(|| value.into_owned()))
    };
    let short = file
        .strip_prefix("thread-")
        .and_then(|rest| rest.strip_suffix(THREAD_END));
    let numbers = match short {
        Some(short) => short.split('-').map(str::to_owned).collect(),
        None if file == "viewthread.php" || (file == "forum.php" && of("mod")? == "viewthread") => {
            let page = of("page").unwrap_or_else(|| "1".to_owned());
            vec![of("tid")?, page, "1".to_owned()]
        }
        None => return None,
    };
    let is_number =
        |text: &String| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match numbers.as_slice() {
        [thread, page, list] if [thread, page, list].into_iter().all(is_number) => {
            Some(format!("{folder}/thread-{thread}-{page}-1{THREAD_END}"))
        }
        _ => None,
    }
}

/// What stays the same of an address however the site is reached: without http or https, without the name of its desktop
/// or phone pages, a thread of Discuz by its short path. Part of a post's id; nothing that can be fetched.
#[must_use]
pub fn identity(url: &str) -> String {
    let Ok(url) = Url::parse(url) else {
        return url.to_owned();
    };
    let Some(host) = url.host_str() else {
        return url.to_string();
    };
    let site = match host.split_once('.') {
        Some((first, rest)) if SAME_SITE.contains(&first) && rest.contains('.') => rest,
        _ => host,
    };
    let port = url
        .port()
        .map(|port| format!(":{port}"))
        .unwrap_or_default();
    let place = thread(&url).unwrap_or_else(|| match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    });
    format!("{site}{port}{place}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_from_visit_to_visit_goes() {
        for (found, expected) in [
            ("http://a.test:80/p?id=3#top", "http://a.test/p?id=3"),
            (
                "http://a.test/p?utm_source=x&id=3&spm=1",
                "http://a.test/p?id=3",
            ),
            ("http://a.test/p?utm_source=x", "http://a.test/p"),
            (
                "http://a.test/p?q=%B7%EE%D0%C2&utm_term=1",
                "http://a.test/p?q=%B7%EE%D0%C2",
            ),
            ("http://a.test/p?b=2&a=1", "http://a.test/p?b=2&a=1"),
            (
                "http://a.test/p;jsessionid=0A1B?id=3",
                "http://a.test/p?id=3",
            ),
            (
                "http://a.test/p?id=3&PHPSESSID=x&isappinstalled=0",
                "http://a.test/p?id=3",
            ),
            (
                "http://a.test/bbs/thread-7-1-2.html",
                "http://a.test/bbs/thread-7-1-1.html",
            ),
            (
                "http://a.test/bbs/forum.php?mod=viewthread&tid=7&extra=page%3D2",
                "http://a.test/bbs/forum.php?mod=viewthread&tid=7",
            ),
            // No threads: what looks like their marks is what these pages are told apart by.
            (
                "http://a.test/p?id=3&extra=page%3D2",
                "http://a.test/p?id=3&extra=page%3D2",
            ),
            (
                "http://a.test/thread-7-x-2.html",
                "http://a.test/thread-7-x-2.html",
            ),
        ] {
            assert_eq!(canonical(found.parse().unwrap()).as_str(), expected);
        }
    }

    #[test]
    fn a_page_is_the_same_however_its_site_is_reached() {
        for same in [
            "https://www.fengxin.test/p?id=3",
            "http://m.fengxin.test/p?id=3",
            "http://fengxin.test:80/p?id=3",
        ] {
            assert_eq!(identity(same), "fengxin.test/p?id=3");
        }
        for same in [
            "http://bbs.test/thread-7-1-2.html",
            "http://bbs.test/forum.php?mod=viewthread&tid=7&extra=page%3D2",
            "http://bbs.test/forum.php?extra=&tid=7&mod=viewthread&mobile=2",
            "http://bbs.test/viewthread.php?tid=7",
        ] {
            assert_eq!(identity(same), "bbs.test/thread-7-1-1.html");
        }
        let second = "http://bbs.test/forum.php?mod=viewthread&tid=7&page=2";
        assert_eq!(identity(second), "bbs.test/thread-7-2-1.html");
        assert_eq!(identity("http://m.test/p"), "m.test/p");
        assert_eq!(identity("http://127.0.0.1:8080/p"), "127.0.0.1:8080/p");
        assert_eq!(identity(""), "");
    }
}
