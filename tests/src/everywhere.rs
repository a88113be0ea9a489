//! All that a running Wensheng keeps, wherever that is, for those who look whether something is in it: every message of every
//! topic, every row of every table, every file.

use std::io::{Cursor, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use backbone::topics;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{Headers as _, Message as _};
use rdkafka::{Offset, TopicPartitionList};
use sqlx::any::{AnyPoolOptions, install_default_drivers};

/// What is kept at one place.
#[derive(Debug)]
pub struct Kept {
    /// Where: a topic with partition and offset, a table, a file.
    pub place: String,
    /// What, as text.
    pub text: String,
}

const PATIENCE: Duration = Duration::from_secs(20);

/// Every message of every topic and of its dead letters, each with its key and headers.
///
/// # Panics
/// When the brokers do not give them.
#[must_use]
pub fn messages(kafka: &str) -> Vec<Kept> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", kafka)
        .set("group.id", "everywhere")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .set("fetch.wait.max.ms", "50")
        .create()
        .expect("a client");
    let metadata = consumer
        .fetch_metadata(None, PATIENCE)
        .expect("the brokers answer");
    let mut list = TopicPartitionList::new();
    let mut open = 0;
    for topic in metadata.topics() {
        for partition in topic.partitions() {
            let (low, end) = consumer
                .fetch_watermarks(topic.name(), partition.id(), PATIENCE)
                .expect("the brokers answer");
            if low < end {
                list.add_partition_offset(topic.name(), partition.id(), Offset::Beginning)
                    .expect("a partition");
                open += 1;
            }
        }
    }
    consumer.assign(&list).expect("partitions can be read");
    let mut kept = Vec::new();
    while open > 0 {
        match consumer.poll(PATIENCE).expect("Kafka goes on") {
            Ok(message) => {
                let lossy = |bytes: Option<&[u8]>| {
                    String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned()
                };
                let headers = message.headers().map_or_else(String::new, |headers| {
                    let values: Vec<String> =
                        (headers.iter()).map(|header| lossy(header.value)).collect();
                    values.join("\n")
                });
                kept.push(Kept {
                    place: format!(
                        "{}[{}]@{}",
                        message.topic(),
                        message.partition(),
                        message.offset()
                    ),
                    text: [lossy(message.key()), headers, lossy(message.payload())].join("\n"),
                });
            }
            Err(KafkaError::PartitionEOF(_)) => open -= 1,
            Err(error) => panic!("the brokers do not answer: {error}"),
        }
    }
    assert!(
        metadata.topics().len() >= topics::ALL.len(),
        "all topics are there"
    );
    kept
}

/// Every row of every table of ClickHouse, as it is read without replacing what repeats: a row that another replaced counts.
///
/// # Panics
/// When ClickHouse does not answer.
pub async fn archive(clickhouse: &str) -> Vec<Kept> {
    let ask = async |query: String| {
        let answer = reqwest::Client::new()
            .post(format!(
                "{}/?database=wensheng",
                clickhouse.trim_end_matches('/')
            ))
            .body(query)
            .send()
            .await
            .expect("ClickHouse answers");
        assert!(answer.status().is_success(), "{}", answer.status());
        answer.text().await.expect("ClickHouse answers")
    };
    let tables = ask(
        "SELECT name FROM system.tables WHERE database = 'wensheng' AND engine NOT LIKE '%View' FORMAT TSV".to_owned(),
    )
    .await;
    let mut kept = Vec::new();
    for table in tables.lines() {
        let rows = ask(format!("SELECT * FROM `{table}` FORMAT JSONEachRow")).await;
        kept.extend(rows.lines().map(|row| Kept {
            place: format!("ClickHouse {table}"),
            text: row.to_owned(),
        }));
    }
    kept
}

/// Every column of every row of a SQLite file or a PostgreSQL database; what is a packed file is unpacked.
///
/// # Panics
/// When it cannot be read.
pub async fn store(url: &str) -> Vec<Kept> {
    install_default_drivers();
    let pool = AnyPoolOptions::new()
        .max_connections(1)
        .connect(url)
        .await
        .expect("the store opens");
    let sqlite = url.starts_with("sqlite");
    let tables = if sqlite {
        "SELECT name FROM sqlite_master WHERE type = 'table'"
    } else {
        "SELECT CAST(table_name AS TEXT) FROM information_schema.tables WHERE table_schema = 'public'"
    };
    let tables: Vec<String> = sqlx::query_scalar(tables)
        .fetch_all(&pool)
        .await
        .expect("tables");
    let mut kept = Vec::new();
    for table in tables {
        let columns = if sqlite {
            "SELECT name || '' FROM pragma_table_info($1)"
        } else {
            "SELECT CAST(column_name AS TEXT) FROM information_schema.columns \
             WHERE table_schema = 'public' AND table_name = $1"
        };
        let columns: Vec<String> = sqlx::query_scalar(columns)
            .bind(&table)
            .fetch_all(&pool)
            .await
            .expect("columns");
        for column in columns {
            let packed = column == "content";
            let as_text = if packed && !sqlite {
                format!("encode(\"{column}\", 'hex')")
            } else if packed {
                format!("hex(\"{column}\")")
            } else {
                format!("CAST(\"{column}\" AS TEXT)")
            };
            let rows = format!("SELECT coalesce({as_text}, '') FROM \"{table}\"");
            let rows: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(rows))
                .fetch_all(&pool)
                .await
                .unwrap_or_else(|error| panic!("{table}.{column}: {error}"));
            for row in rows {
                let place = format!("store {table}.{column}");
                if packed {
                    kept.extend(texts_of(&place, &from_hex(&row)));
                } else {
                    kept.push(Kept { place, text: row });
                }
            }
        }
    }
    pool.close().await;
    kept
}

fn from_hex(text: &str) -> Vec<u8> {
    text.as_bytes()
        .chunks(2)
        .filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

/// Every file under a folder but those that `passed` names; what is packed is unpacked.
#[must_use]
pub fn files(folder: &Path, passed: &[&str]) -> Vec<Kept> {
    let mut kept = Vec::new();
    for path in paths(folder) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if passed.contains(&name.as_ref()) {
            continue;
        }
        // One may be gone by now.
        let Ok(bytes) = std::fs::read(&path) else {
            continue;
        };
        kept.extend(texts_of(&path.display().to_string(), &bytes));
    }
    kept
}

fn paths(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries.filter_map(Result::ok) {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                Ok(kind) if kind.is_file() => found.push(entry.path()),
                _ => {}
            }
        }
    }
    found
}

/// What a file says: of DOCX and XLSX each part, of PDF its text, of others all bytes that are characters.
///
/// # Panics
/// When a packed file cannot be unpacked, or `pdftotext` is missing.
#[must_use]
pub fn texts_of(place: &str, bytes: &[u8]) -> Vec<Kept> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if bytes.starts_with(b"PK\x03\x04") {
        let mut packed = zip::ZipArchive::new(Cursor::new(bytes)).expect("a packed file");
        return (0..packed.len())
            .map(|index| {
                let mut part = packed.by_index(index).expect("a part");
                let mut bytes = Vec::new();
                part.read_to_end(&mut bytes).expect("a part");
                Kept {
                    place: format!("{place}: {}", part.name().expect("a name")),
                    text: text(&bytes),
                }
            })
            .collect();
    }
    if bytes.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        let mut unpacked = Vec::new();
        // One that is being written is not whole yet.
        let whole =
            zstd::Decoder::new(bytes).and_then(|mut packed| packed.read_to_end(&mut unpacked));
        return vec![Kept {
            place: format!(
                "{place}, {}",
                if whole.is_ok() { "unpacked" } else { "in part" }
            ),
            text: text(&unpacked),
        }];
    }
    if bytes.starts_with(b"%PDF") {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), bytes).expect("a file");
        let said = Command::new("pdftotext")
            .arg(file.path())
            .arg("-")
            .stdin(Stdio::null())
            .output()
            .expect("pdftotext, of poppler-utils");
        return vec![Kept {
            place: place.to_owned(),
            text: text(&said.stdout),
        }];
    }
    vec![Kept {
        place: place.to_owned(),
        text: text(bytes),
    }]
}
