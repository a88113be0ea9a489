//! Fuzz targets for all that reads the outside, each run for a bounded time by `cargo test`
//! (`WENSHENG_FUZZ_SECONDS` each, 1 by default), and by any engine that bolero drives. Each reads the files of its corpus first
//! (`collector/tests/corpus/`), then what is made of them.

use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use backbone::mask::mask;
use jiff::Timestamp;
use url::Url;

use crate::extract::article::Article;
use crate::extract::{address, charset, listing, page, text, time};
use crate::fetch::robots::Robots;
use crate::fetch::{Page, Validators};
use crate::source::api::Api;
use crate::source::import::Format;
use crate::source::import::export::Export;
use crate::source::{feed, push, sitemap};

static NOW: LazyLock<Timestamp> = LazyLock::new(|| "2026-11-23T04:00:00Z".parse().expect("a time"));

/// Pieces that the readers look out for; a byte below their number stands for one of them.
const PIECES: [&str; 96] = [
    "<div>",
    "</div>",
    "<div class=\"content\">",
    "<table>",
    "<tr><td>",
    "</table>",
    "<a href=\"",
    "\">",
    "</a>",
    "<p>",
    "<li>",
    "<ul>",
    "<h1>",
    "</h1>",
    "<title>",
    "</title>",
    "<script>",
    "</script>",
    "<style>",
    "<!--",
    "-->",
    "<meta charset=gb2312>",
    "<meta name=PubDate content=\"",
    "<svg>",
    "<math>",
    "<template>",
    "<select><option>",
    "<?xml version=\"1.0\" encoding=\"gbk\"?>",
    "<rss version=\"2.0\"><channel>",
    "<item>",
    "</item>",
    "<link>",
    "</link>",
    "<description>",
    "</description>",
    "<pubDate>",
    "</pubDate>",
    "<feed xmlns=\"http://www.w3.org/2005/Atom\">",
    "<entry>",
    "</entry>",
    "<![CDATA[",
    "]]>",
    "<!DOCTYPE a [<!ENTITY b \"",
    "&b;",
    "&#x4e00;",
    "&amp;",
    "&nbsp;",
    "<urlset>",
    "<url><loc>",
    "</loc></url>",
    "<sitemapindex>",
    "</sitemapindex>",
    "<lastmod>",
    "http://a.test/",
    "2023年7月18日",
    "七月十八日",
    "3小时前",
    "昨天",
    "08:30",
    "2023-07-18T08:30:00Z",
    "1689640200",
    "星期三",
    "上午",
    "发布时间：",
    "来信内容",
    "作者：",
    "路灯坏了。",
    "冯川镇",
    "13812345612",
    "360921199001011234",
    "6222021234567890123",
    "赣C12345",
    "a@b.cn",
    "User-agent: *\n",
    "Disallow: /",
    "Allow: ",
    "Crawl-delay: ",
    "$",
    "*",
    "\r\n",
    "\n",
    "\t",
    "{\"data\":{\"list\":[",
    "{\"id\":1,\"text\":\"",
    "\"}",
    "]}}",
    "[",
    "\"",
    ",",
    "=",
    "\u{feff}",
    "\u{200b}",
    "\u{3000}",
    "\u{0}",
    "\u{ff11}",
    "\u{10ffff}",
];

/// What bytes spell: pieces, and bytes as they are.
fn spell(bytes: &[u8]) -> Vec<u8> {
    let mut spelt = Vec::new();
    for byte in bytes {
        match PIECES.get(usize::from(*byte)) {
            Some(piece) => spelt.extend_from_slice(piece.as_bytes()),
            None => spelt.push(*byte),
        }
    }
    spelt
}

/// The files of a corpus and of the folders in it.
fn corpus(folder: &Path) -> Vec<Vec<u8>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a corpus") {
        let path = entry.expect("a corpus").path();
        if path.is_dir() {
            files.extend(corpus(&path));
        } else {
            files.push(std::fs::read(path).expect("a file of the corpus"));
        }
    }
    files
}

/// Runs a target on the files of these folders, on what random bytes spell, and on files with that put in.
fn run(folders: &[&str], target: impl Fn(&[u8]) + std::panic::RefUnwindSafe) {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let corpus: Vec<Vec<u8>> = (folders.iter())
        .flat_map(|folder| corpus(&tests.join(folder)))
        .collect();
    for file in &corpus {
        target(file);
    }
    let seconds = std::env::var("WENSHENG_FUZZ_SECONDS").ok();
    let seconds = seconds.and_then(|told| told.parse().ok()).unwrap_or(1);
    bolero::check!()
        .with_type::<(u8, u16, Vec<u8>)>()
        .with_test_time(Duration::from_secs(seconds))
        .with_max_len(2_000)
        .for_each(|(file, place, bytes)| {
            let spelt = spell(bytes);
            match corpus.get(usize::from(*file) % (corpus.len() + 1)) {
                Some(file) => {
                    let (before, after) = file.split_at(usize::from(*place) % (file.len() + 1));
                    target(&[before, &spelt, after].concat());
                }
                None => target(&spelt),
            }
        });
}

fn page(bytes: &[u8]) -> Page {
    Page {
        url: "http://a.test/list".parse().expect("an address"),
        content_type: None,
        bytes: bytes.to_vec(),
        validators: Validators::default(),
        certificate: None,
    }
}

fn string(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn pages() {
    run(&["corpus/pages", "layouts"], |bytes| {
        let Ok(text) = charset::decode(bytes, None, None) else {
            return;
        };
        let Ok(html) = page::parse(&text) else {
            return;
        };
        let base: Url = "http://a.test/".parse().expect("an address");
        for entry in listing::entries(&html, &base, *NOW) {
            assert!(matches!(entry.url.scheme(), "http" | "https"));
        }
        drop(listing::next(&html, &base));
        let article = Article::new(&html);
        let time = article.time(*NOW);
        assert!(time.is_none_or(|found| found.value.at <= *NOW));
        drop(article.text());
        drop(article.title());
        let author = article.author();
        assert!(author.is_none_or(|found| found.value.chars().count() <= 40));
    });
}

#[test]
fn charsets() {
    run(&["corpus/charsets"], |bytes| {
        for header in [None, Some("text/html; charset=gbk"), Some("charset=big5")] {
            drop(charset::decode(bytes, None, header));
        }
        std::hint::black_box(charset::detect(bytes));
    });
}

#[test]
fn fragments() {
    run(&["corpus/fragments"], |bytes| {
        drop(text::of_html(&string(bytes)));
    });
}

#[test]
fn times() {
    run(&["corpus/times"], |bytes| {
        let last: Timestamp = "2101-01-02T00:00:00Z".parse().expect("a time");
        let told = time::tell(&string(bytes), *NOW);
        assert!(told.is_none_or(|told| told.at < last));
    });
}

#[test]
fn masks() {
    run(&["corpus/masks"], |bytes| {
        let once = mask(&string(bytes));
        assert_eq!(mask(&once), once, "what is masked stays as it is");
    });
}

#[test]
fn addresses() {
    run(&["corpus/addresses"], |bytes| {
        let text = string(bytes);
        drop(address::identity(&text));
        if let Ok(url) = Url::parse("http://a.test/")
            .expect("an address")
            .join(&text)
        {
            let once = address::canonical(url);
            assert_eq!(address::canonical(once.clone()), once);
        }
    });
}

#[test]
fn robots() {
    run(&["corpus/robots"], |bytes| {
        let robots = Robots::read("Wensheng/0.1", bytes);
        let url = "http://a.test/a/b?c=1".parse().expect("an address");
        std::hint::black_box(robots.allows(&url));
        assert!(
            robots
                .delay()
                .is_none_or(|delay| delay <= Duration::from_secs(60))
        );
    });
}

#[test]
fn feeds() {
    run(&["corpus/feeds"], |bytes| {
        drop(feed::entries(&page(bytes), *NOW));
    });
}

#[test]
fn sitemaps() {
    run(&["corpus/sitemaps"], |bytes| {
        drop(sitemap::read_map(&page(bytes), *NOW));
        let packed = [&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3], bytes].concat();
        drop(sitemap::read_map(&page(&packed), *NOW));
    });
}

#[test]
fn answers_of_an_api() {
    let api: Api = toml::from_str(
        "url = \"http://a.test/\"\nitems = \"/data/list\"\nid = \"/id\"\ntext = \"/text\"\ntime = \"/time\"",
    )
    .expect("an API");
    run(&["corpus/apis"], |bytes| {
        let page = page(bytes);
        for post in api.posts(&page).unwrap_or_default() {
            drop(api.item(&post, &page, *NOW));
        }
    });
}

#[test]
fn pushed_posts() {
    run(&["corpus/pushed"], |bytes| {
        if let Ok(row) = serde_json::from_slice(bytes) {
            drop(push::item(row, *NOW));
        }
    });
}

#[test]
fn exports() {
    let folder = tempfile::tempdir().expect("a folder");
    run(&["corpus/exports"], |bytes| {
        let path = folder.path().join("export");
        std::fs::write(&path, bytes).expect("a writable folder");
        for format in [Format::Csv, Format::Jsonl, Format::Xlsx] {
            let Ok(mut export) = Export::open(&path, format, None, &[]) else {
                continue;
            };
            while let Ok(Some(row)) = export.next_row(&path) {
                drop(row);
            }
        }
    });
}
