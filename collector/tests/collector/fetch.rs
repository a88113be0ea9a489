use collector::fetch::{FetchError, Fetcher, Validators};
use url::Url;

use crate::desk::loopback;
use crate::site::{Page, Site};

/// 200,000 letters a, as gzip.
const SWOLLEN: &[u8] = &[
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xed, 0xc1, 0x31, 0x01, 0x00, 0x00,
    0x00, 0xc2, 0xa0, 0xac, 0xeb, 0x5f, 0xc2, 0x0c, 0xfe, 0x40, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xaf, 0x01, 0x9b, 0x53,
    0x69, 0xe0, 0x40, 0x0d, 0x03, 0x00,
];

fn reaching() -> Fetcher {
    Fetcher::new(&loopback()).unwrap().allowing_private(true)
}

async fn refusal(fetcher: &Fetcher, url: &Url) -> FetchError {
    fetcher.get(url, &Validators::default()).await.unwrap_err()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_without_end_or_swollen_by_decompression_is_given_up() {
    let site = Site::start().await;
    site.set("/endless", Page::endless());
    site.set("/announced", Page::new("text/html", vec![b'a'; 60_000]));
    let swollen = Page::new("text/html", SWOLLEN).with("content-encoding", "gzip");
    assert!(SWOLLEN.len() < 1_000);
    site.set("/swollen", swollen);
    for path in ["endless", "announced", "swollen"] {
        let error = refusal(&reaching(), &site.at(path)).await;
        let large = matches!(error, FetchError::TooLarge { most: 50_000, .. });
        assert!(large, "{path}: {error}");
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
