//! A row of an exported file.

use std::collections::HashMap;

/// A row.
#[derive(Debug)]
pub(crate) struct Row {
    /// Its line, from 1.
    pub(crate) line: u64,
    /// What it is known by.
    pub(crate) raw: String,
    /// Its fields by their columns, or what is wrong with it.
    pub(crate) fields: Result<HashMap<String, String>, String>,
}
