//! Posts to try Wensheng on: a file of them, told as a county would meet them: the newest by a feed,
//! older ones on a message board, the rest in an export of the mailbox.

mod pages;
mod posts;
mod site;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context;
use tokio_util::sync::CancellationToken;

pub use posts::{Post, Posts};
pub use site::router;

/// A sample made ready.
#[derive(Debug)]
pub struct Sample {
    /// Folder of the sources that the collector reads.
    pub sources: PathBuf,
    /// Folder of the region that the posts are about.
    pub region: PathBuf,
    /// How many posts there are in all.
    pub posts: usize,
    posts_by_source: Posts,
    listener: tokio::net::TcpListener,
}

/// Where a sample comes from.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// File of posts, JSON Lines with `id`, `user`, `title`, `time`, `text`, `oppose` and `like`.
    pub posts: &'a Path,
    /// Folder of the region they are about.
    pub region: &'a Path,
}

impl Sample {
    /// Divides the posts, writes the export and the sources into `folder`, and takes the site's port: the
    /// same as before where there was one, because addresses are what posts are known by.
    ///
    /// # Errors
    /// When the posts cannot be read, the folder cannot be written or the port is taken.
    pub async fn prepare(input: Input<'_>, folder: &Path) -> anyhow::Result<Self> {
        let sources = folder.join("sources");
        std::fs::create_dir_all(&sources)
            .with_context(|| format!("cannot create {}", sources.display()))?;
        let posts = Posts::read(input.posts)?;
        let listener = listen(&folder.join("site-port")).await?;
        let site = listener.local_addr()?;
        let code = backbone::region::Region::load(input.region)?
            .code()
            .to_owned();
        posts.write_export(folder)?;
        write_sources(&sources, &code, site, posts.export_name())?;
        Ok(Self {
            sources,
            region: input.region.to_owned(),
            posts: posts.len(),
            posts_by_source: posts,
            listener,
        })
    }

    /// Serves the board and the feed until `stop`.
    ///
    /// # Errors
    /// When the connection is lost for good.
    pub async fn serve(self, stop: CancellationToken) -> anyhow::Result<()> {
        let router = router(self.posts_by_source, self.listener.local_addr()?)?;
        axum::serve(self.listener, router)
            .with_graceful_shutdown(stop.cancelled_owned())
            .await?;
        Ok(())
    }
}

async fn listen(remembered: &Path) -> anyhow::Result<tokio::net::TcpListener> {
    let port: u16 = match std::fs::read_to_string(remembered) {
        Ok(text) => text
            .trim()
            .parse()
            .with_context(|| format!("{} does not hold a port; remove it", remembered.display()))?,
        Err(_) => 0,
    };
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port))
        .await
        .with_context(|| format!("port {port} of the sample site is taken; stop what uses it"))?;
    std::fs::write(remembered, format!("{}\n", listener.local_addr()?.port()))?;
    Ok(listener)
}

fn write_sources(
    folder: &Path,
    region: &str,
    site: SocketAddr,
    export: &str,
) -> anyhow::Result<()> {
    let files = [
        (
            "export.toml",
            format!(
                "# The mailbox's export.\n[[source]]\nname = \"信箱导出\"\nregion = \"{region}\"\nevery_seconds = 3600\n\n[source.import]\nfile = \"../{export}\"\n"
            ),
        ),
        (
            "board.toml",
            format!(
                "# The message board: GBK pages, a list with detail pages.\n[[source]]\nname = \"网上留言板\"\nregion = \"{region}\"\nevery_seconds = 600\nallow_private = true\nfirst_visit_days = 0\n\n\
                 [source.board]\nurl = \"http://{site}/board\"\nitem = \"ul.posts a\"\nnext = \"a.next\"\nmost_pages = 100\n\n[source.board.post]\n\
                 title = \"h1\"\ntext = \"div.text\"\ntime = \"span.time\"\nauthor = \"span.author\"\n"
            ),
        ),
        (
            "feed.toml",
            format!(
                "# The board's newest posts.\n[[source]]\nname = \"留言板订阅\"\nregion = \"{region}\"\nevery_seconds = 600\nallow_private = true\nfirst_visit_days = 0\n\n[source.feed]\nurl = \"http://{site}/feed.xml\"\n"
            ),
        ),
    ];
    for (name, text) in files {
        let path = folder.join(name);
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}
