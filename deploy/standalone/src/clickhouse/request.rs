//! A request of ClickHouse's HTTP interface: what is in the address, the headers and the text.

use axum::http::{HeaderMap, Method};

/// Parameters of the address that are not settings of the engine.
const NOT_SETTINGS: [&str; 18] = [
    "query",
    "database",
    "default_format",
    "query_id",
    "user",
    "password",
    "quota_key",
    "role",
    "session_id",
    "session_timeout",
    "session_check",
    "compress",
    "decompress",
    "client_protocol_version",
    "wait_end_of_query",
    "buffer_size",
    "stacktrace",
    "close_session",
];

/// What a client asks, apart from the data it sends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Request {
    /// The SQL in the address; empty when the body holds it.
    pub(crate) sql: String,
    /// The database, `default` where none is named.
    pub(crate) database: String,
    /// The format of results that name none.
    pub(crate) format: String,
    /// The id the client gave, or one made here.
    pub(crate) query_id: String,
    /// Settings for this statement.
    pub(crate) settings: Vec<(String, String)>,
    /// Values of `{name:Type}`.
    pub(crate) parameters: Vec<(String, String)>,
    /// Whether only reading is allowed.
    pub(crate) read_only: bool,
}

impl Request {
    /// Reads the address and the headers.
    ///
    /// # Errors
    /// A message in ClickHouse's form, for what this endpoint does not speak.
    pub(crate) fn read(method: &Method, query: &str, headers: &HeaderMap) -> Result<Self, String> {
        let header = |name: &str| {
            headers
                .get(name)
                .and_then(|value| value.to_str().ok())
                .map(str::to_owned)
        };
        let mut request = Self {
            database: header("x-clickhouse-database").unwrap_or_else(|| "default".to_owned()),
            format: header("x-clickhouse-format").unwrap_or_else(|| "TabSeparated".to_owned()),
            read_only: method == Method::GET,
            ..Self::default()
        };
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            request.take(&name, value.into_owned())?;
        }
        if request.query_id.is_empty() {
            request.query_id = uuid();
        }
        Ok(request)
    }

    /// Takes one parameter of the address or of a form.
    ///
    /// # Errors
    /// A message in ClickHouse's form.
    pub(crate) fn take(&mut self, name: &str, value: String) -> Result<(), String> {
        match name {
            "query" => self.sql.push_str(&value),
            "database" if !value.is_empty() => self.database = value,
            "default_format" => self.format = value,
            "query_id" => self.query_id = value,
            // Block compression is for the server's own clients; HTTP's is refused in http.rs.
            "compress" | "decompress" if value == "1" => {
                return Err(format!(
                    "Code: 48. DB::Exception: {name}=1 is not served here; switch the client's block compression off. (NOT_IMPLEMENTED)"
                ));
            }
            _ if name.starts_with("param_") => {
                let name = name.strip_prefix("param_").unwrap_or(name);
                self.parameters.push((name.to_owned(), value));
            }
            _ if NOT_SETTINGS.contains(&name) => {}
            _ => {
                let is_name =
                    name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !name.is_empty();
                if !is_name {
                    return Err("Code: 115. DB::Exception: a setting's name has letters, digits and underscores only. (UNKNOWN_SETTING)".to_owned());
                }
                self.settings.push((name.to_owned(), value));
            }
        }
        Ok(())
    }
}

fn uuid() -> String {
    let now = jiff::Timestamp::now().as_nanosecond().to_string();
    backbone::id::of("query", &[&now])
}

/// What kind of statement SQL begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Gives rows as they come.
    Select,
    /// Reads, and gives a short answer.
    Show,
    /// Writes rows, whose data may follow.
    Insert,
    /// Changes something else.
    Other,
}

/// The kind of a statement, by its first word after comments and brackets.
pub(crate) fn kind(sql: &str) -> Kind {
    let mut rest = sql;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '(');
        let after = if let Some(comment) = rest.strip_prefix("--") {
            comment.split_once('\n').map(|(_, after)| after)
        } else if let Some(comment) = rest.strip_prefix("/*") {
            comment.split_once("*/").map(|(_, after)| after)
        } else {
            break;
        };
        match after {
            Some(after) => rest = after,
            None => return Kind::Other,
        }
    }
    let word: String = rest.chars().take_while(char::is_ascii_alphabetic).collect();
    match word.to_ascii_uppercase().as_str() {
        "SELECT" | "WITH" => Kind::Select,
        "SHOW" | "DESCRIBE" | "DESC" | "EXISTS" | "EXPLAIN" => Kind::Show,
        "INSERT" => Kind::Insert,
        _ => Kind::Other,
    }
}

/// Divides an insert into what comes before its `FORMAT` clause and the format's name.
pub(crate) fn split_format(sql: &str) -> Option<(&str, &str)> {
    let trimmed = sql.trim_end().trim_end_matches(';').trim_end();
    let (before, format) = trimmed.rsplit_once(char::is_whitespace)?;
    let before = before.trim_end();
    let at = before.len().checked_sub("FORMAT".len())?;
    let (head, word) = before.split_at_checked(at)?;
    (word.eq_ignore_ascii_case("FORMAT")
        && head.ends_with(char::is_whitespace)
        && format.chars().all(|c| c.is_ascii_alphanumeric()))
    .then_some((head.trim_end(), format))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_tells_the_kind() {
        for (sql, expected) in [
            ("SELECT 1", Kind::Select),
            ("  ((select 1))", Kind::Select),
            ("-- note\n/* more */ WITH 1 AS x SELECT x", Kind::Select),
            ("insert into t values (1)", Kind::Insert),
            ("SHOW TABLES", Kind::Show),
            ("DROP TABLE t", Kind::Other),
            ("/* never ends", Kind::Other),
            ("", Kind::Other),
        ] {
            assert_eq!(kind(sql), expected, "{sql}");
        }
    }

    #[test]
    fn the_format_of_an_insert_is_found_at_its_end() {
        assert_eq!(
            split_format("INSERT INTO t(a) FORMAT RowBinary"),
            Some(("INSERT INTO t(a)", "RowBinary"))
        );
        assert_eq!(
            split_format("insert into t format CSV;\n"),
            Some(("insert into t", "CSV"))
        );
        assert_eq!(split_format("INSERT INTO t VALUES (1)"), None);
        assert_eq!(split_format("INSERT INTO reformat CSV"), None);
        assert_eq!(split_format(""), None);
    }

    #[test]
    fn parameters_settings_and_the_rest_are_told_apart() {
        let query = "query=SELECT+%7Bx:UInt8%7D&param_x=7&max_threads=1&session_id=s&database=d";
        let request = Request::read(&Method::GET, query, &HeaderMap::new()).unwrap();
        assert_eq!(request.sql, "SELECT {x:UInt8}");
        assert_eq!(request.parameters, [("x".to_owned(), "7".to_owned())]);
        assert_eq!(
            request.settings,
            [("max_threads".to_owned(), "1".to_owned())]
        );
        assert_eq!(request.database, "d");
        assert!(request.read_only);
        let refused = Request::read(&Method::POST, "a%3B%20DROP=1", &HeaderMap::new()).unwrap_err();
        assert!(refused.contains("UNKNOWN_SETTING"), "{refused}");
        let refused = Request::read(&Method::POST, "compress=1", &HeaderMap::new()).unwrap_err();
        assert!(
            refused.contains("switch the client's block compression off"),
            "{refused}"
        );
    }
}
