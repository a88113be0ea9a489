use async_compression::tokio::bufread::{
    BrotliEncoder, DeflateEncoder, GzipEncoder, ZlibEncoder, ZstdEncoder,
};
use collector::fetch::{FetchError, Fetcher, Validators};
use collector::settings::Fetch;
use tokio::io::AsyncReadExt;
use url::Url;

use crate::desk::loopback;
use crate::site::{Page, Site};

fn reaching() -> Fetcher {
    Fetcher::new(&loopback()).unwrap().allowing_private(true)
}

async fn refusal(fetcher: &Fetcher, url: &Url) -> FetchError {
    fetcher.get(url, &Validators::default()).await.unwrap_err()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_without_end_is_given_up() {
    let site = Site::start().await;
    site.set("/endless", Page::endless());
    site.set("/announced", Page::new("text/html", vec![b'a'; 60_000]));
    for path in ["endless", "announced"] {
        let error = refusal(&reaching(), &site.at(path)).await;
        let large = matches!(error, FetchError::TooLarge { most: 50_000, .. });
        assert!(large, "{path}: {error}");
    }
}

/// The body in each way that it may be packed.
async fn packed(body: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let mut packed: Vec<(&str, Vec<u8>)> = ["identity", "", "none", "UTF-8"]
        .map(|encoding| (encoding, body.to_vec()))
        .into();
    let mut bytes = Vec::new();
    BrotliEncoder::new(body)
        .read_to_end(&mut bytes)
        .await
        .unwrap();
    packed.push(("br", std::mem::take(&mut bytes)));
    ZstdEncoder::new(body)
        .read_to_end(&mut bytes)
        .await
        .unwrap();
    packed.push(("zstd", std::mem::take(&mut bytes)));
    GzipEncoder::new(body)
        .read_to_end(&mut bytes)
        .await
        .unwrap();
    packed.push(("gzip", [bytes.as_slice(), &[0; 64]].concat()));
    packed.push(("gzip", [bytes.as_slice(), b"\n<!-- cached -->"].concat()));
    packed.push(("gzip", std::mem::take(&mut bytes)));
    DeflateEncoder::new(body)
        .read_to_end(&mut bytes)
        .await
        .unwrap();
    packed.push(("deflate", std::mem::take(&mut bytes)));
    ZlibEncoder::new(body)
        .read_to_end(&mut bytes)
        .await
        .unwrap();
    packed.push(("deflate", bytes));
    packed
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_are_unpacked_and_bounded_however_they_are_packed() {
    let site = Site::start().await;
    let small = "冯川镇的路灯坏了。".repeat(50);
    for (encoding, bytes) in packed(small.as_bytes()).await {
        let page = Page::new("text/html", bytes).with("content-encoding", encoding);
        site.set("/page", page);
        let page = reaching()
            .get(&site.at("page"), &Validators::default())
            .await;
        assert_eq!(page.unwrap().unwrap().bytes, small.as_bytes(), "{encoding}");
    }
    for (encoding, bytes) in packed(&vec![b'a'; 5_000_000]).await {
        assert!(bytes.len() == 5_000_000 || bytes.len() < 50_000);
        site.set(
            "/page",
            Page::new("text/html", bytes).with("content-encoding", encoding),
        );
        let error = refusal(&reaching(), &site.at("page")).await;
        assert!(
            matches!(error, FetchError::TooLarge { .. }),
            "{encoding}: {error}"
        );
    }
    for encoding in ["br", "zstd", "gzip", "deflate", "exi"] {
        site.set(
            "/page",
            Page::new("text/html", "no such thing").with("content-encoding", encoding),
        );
        let error = refusal(&reaching(), &site.at("page")).await;
        assert!(
            matches!(error, FetchError::Connection { .. }),
            "{encoding}: {error}"
        );
    }
    let members = [packed(b"one ").await, packed(b"two").await]
        .map(|packed| {
            packed
                .into_iter()
                .rfind(|(encoding, _)| *encoding == "gzip")
        })
        .map(|packed| packed.unwrap().1)
        .concat();
    let page = Page::new("text/html", members).with("content-encoding", "gzip");
    site.set("/page", page);
    let page = reaching()
        .get(&site.at("page"), &Validators::default())
        .await;
    assert_eq!(page.unwrap().unwrap().bytes, b"one two");
    // Nothing comes out of it, but much goes in.
    let empty = [
        0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ];
    let page = Page::new("text/html", empty.repeat(5_000)).with("content-encoding", "gzip");
    site.set("/page", page);
    let error = refusal(&reaching(), &site.at("page")).await;
    assert!(matches!(error, FetchError::TooLarge { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_is_asked_by_so_many_requests_at_a_time() {
    for (per_host, expected) in [(1, 1), (4, 4)] {
        let site = Site::start().await;
        let fetcher = Fetcher::new(&Fetch {
            per_host,
            ..loopback()
        })
        .unwrap()
        .allowing_private(true);
        let asked = (0..40).map(|number| {
            let (fetcher, url) = (fetcher.clone(), site.at(&format!("slow/{number}")));
            async move { fetcher.get(&url, &Validators::default()).await.unwrap() }
        });
        futures::future::join_all(asked).await;
        assert_eq!(site.most_at_once(), expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn private_addresses_are_refused_by_number_and_by_name() {
    let site = Site::start().await;
    site.set("/", Page::new("text/html", "inside"));
    let public_only = Fetcher::new(&loopback()).unwrap();
    let mut by_name = site.url.clone();
    by_name.set_host(Some("localhost")).unwrap();
    for url in [site.url.clone(), by_name] {
        let error = refusal(&public_only, &url).await;
        assert!(
            matches!(error, FetchError::Private { .. }),
            "{url}: {error}"
        );
    }
    assert_eq!(site.asked(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn redirects_are_followed_with_a_check_at_each_hop() {
    let site = Site::start().await;
    site.set("/here", Page::redirect("/there"));
    site.set("/there", Page::new("text/html", "found"));
    site.set("/named", Page::redirect("/帖子?q=路灯"));
    site.set("/%E5%B8%96%E5%AD%90", Page::new("text/html", "named"));
    site.set("/round", Page::redirect("/round"));
    site.set("/away", Page::redirect("ftp://example.test/"));
    site.set("/hidden", Page::redirect("/secret/page"));
    let rules = "User-agent: *\nDisallow: /secret/\n";
    site.set("/robots.txt", Page::redirect("/rules.txt"));
    site.set("/rules.txt", Page::new("text/plain", rules));
    let fetcher = reaching();
    let page = fetcher
        .get(&site.at("here"), &Validators::default())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (page.url, page.bytes),
        (site.at("there"), b"found".to_vec())
    );
    let named = fetcher
        .get(&site.at("named"), &Validators::default())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(named.bytes, b"named");
    let error = refusal(&reaching(), &site.at("round")).await;
    assert!(matches!(error, FetchError::Redirects { .. }), "{error}");
    let error = refusal(&reaching(), &site.at("away")).await;
    assert!(matches!(error, FetchError::NotWeb { .. }), "{error}");
    let error = refusal(&reaching(), &site.at("hidden")).await;
    assert!(matches!(error, FetchError::NotAllowed { .. }), "{error}");
    assert!(!site.asked().contains(&"/secret/page".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_whose_robots_txt_fails_is_left_alone() {
    let site = Site::start().await;
    site.set("/robots.txt", Page::status(503));
    site.set("/page", Page::new("text/html", "here"));
    let error = refusal(&reaching(), &site.at("page")).await;
    assert!(
        error.to_string().contains("robots.txt answers 503"),
        "{error}"
    );
    assert_eq!(site.asked(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_away_is_told_with_the_cause() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let error = refusal(&reaching(), &url.parse().unwrap()).await;
    assert!(error.is_passing());
    assert!(error.to_string().contains("refused"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_asks_for_time_is_given_it() {
    let site = Site::start().await;
    let busy = Page::status(429).with("retry-after", "600");
    site.set("/page", busy);
    let fetcher = reaching();
    let get = || async {
        fetcher
            .get(&site.at("page"), &Validators::default())
            .await
            .unwrap_err()
    };
    let error = get().await;
    assert!(matches!(error, FetchError::Status { .. }), "{error}");
    let error = get().await;
    assert!(
        matches!(
            error,
            FetchError::Resting {
                seconds: 599..=600,
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(site.asked(), ["/page"], "it was not asked again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_asks_for_time_by_its_robots_txt_is_given_it_at_once() {
    let site = Site::start().await;
    let busy = Page::status(503).with("retry-after", "600");
    site.set("/robots.txt", busy);
    let fetcher = reaching();
    let error = refusal(&fetcher, &site.at("page")).await;
    assert!(matches!(error, FetchError::Status { .. }), "{error}");
    let error = refusal(&fetcher, &site.at("page")).await;
    let rests =
        matches!(error, FetchError::Resting { seconds, .. } if (590..=600).contains(&seconds));
    assert!(rests, "{error}");
}
