//! The ClickHouse engine as a library: the one place where Wensheng calls foreign code.
//!
//! A connection runs one statement at a time; several may be open on one folder.

#![allow(
    unsafe_code,
    reason = "the engine is a C library; every call is in this file"
)]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};

#[repr(C)]
struct RawResult {
    _private: [u8; 0],
}

type RawConnection = *mut c_void;
type RawInsert = *mut c_void;
type Query = unsafe extern "C" fn(
    RawConnection,
    *const c_char,
    usize,
    *const c_char,
    usize,
    *const *const c_char,
    *const usize,
    *const *const c_char,
    *const usize,
    usize,
) -> *mut RawResult;
type BeginInsert = unsafe extern "C" fn(
    RawConnection,
    *const c_char,
    usize,
    *const c_char,
    usize,
    *const *const c_char,
    *const usize,
    *const *const c_char,
    *const usize,
    usize,
) -> RawInsert;

/// The functions of the engine that are used.
struct Functions {
    connect: unsafe extern "C" fn(c_int, *mut *mut c_char) -> *mut RawConnection,
    close: unsafe extern "C" fn(*mut RawConnection),
    query: Query,
    stream_query: Query,
    stream_fetch: unsafe extern "C" fn(RawConnection, *mut RawResult) -> *mut RawResult,
    stream_cancel: unsafe extern "C" fn(RawConnection, *mut RawResult),
    insert_begin: BeginInsert,
    insert_append: unsafe extern "C" fn(RawInsert, *const c_void, usize) -> c_int,
    insert_done: unsafe extern "C" fn(RawInsert) -> *mut RawResult,
    insert_error: unsafe extern "C" fn(RawInsert) -> *const c_char,
    insert_destroy: unsafe extern "C" fn(RawInsert),
    result_buffer: unsafe extern "C" fn(*mut RawResult) -> *const c_char,
    result_length: unsafe extern "C" fn(*mut RawResult) -> usize,
    result_error: unsafe extern "C" fn(*mut RawResult) -> *const c_char,
    result_rows_written: unsafe extern "C" fn(*mut RawResult) -> u64,
    result_rows_read: unsafe extern "C" fn(*mut RawResult) -> u64,
    result_destroy: unsafe extern "C" fn(*mut RawResult),
}

/// The engine, loaded.
#[derive(Clone)]
pub(crate) struct Library {
    functions: Arc<Functions>,
}

impl std::fmt::Debug for Library {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Library").finish_non_exhaustive()
    }
}

impl Library {
    /// Loads the engine from a file.
    ///
    /// # Errors
    /// When the file is not there or is not the engine in a version that streams inserts.
    pub(crate) fn load(path: &Path) -> anyhow::Result<Self> {
        // SAFETY: loading runs the library's initialisers; the file is the one the operator names,
        // got by deploy/libchdb, which checks its digest.
        let library = unsafe { libloading::Library::new(path) }.with_context(|| {
            format!(
                "cannot load the ClickHouse library {}; run deploy/libchdb, which gets it and prints its path, and set CHDB_LIB to that",
                path.display()
            )
        })?;
        macro_rules! function {
            ($name:literal) => {
                // SAFETY: the types above are those of the engine's C header for this symbol.
                *unsafe { library.get($name) }.with_context(|| {
                    format!(
                        "{} lacks the function {}; use the version that deploy/libchdb gets",
                        path.display(),
                        String::from_utf8_lossy($name)
                    )
                })?
            };
        }
        let functions = Functions {
            connect: function!(b"chdb_connect"),
            close: function!(b"chdb_close_conn"),
            query: function!(b"chdb_query_with_params_n"),
            stream_query: function!(b"chdb_stream_query_with_params_n"),
            stream_fetch: function!(b"chdb_stream_fetch_result"),
            stream_cancel: function!(b"chdb_stream_cancel_query"),
            insert_begin: function!(b"chdb_stream_insert_with_params_n"),
            insert_append: function!(b"chdb_stream_append"),
            insert_done: function!(b"chdb_stream_done"),
            insert_error: function!(b"chdb_stream_insert_error"),
            insert_destroy: function!(b"chdb_destroy_insert_stream"),
            result_buffer: function!(b"chdb_result_buffer"),
            result_length: function!(b"chdb_result_length"),
            result_error: function!(b"chdb_result_error"),
            result_rows_written: function!(b"chdb_result_rows_written"),
            result_rows_read: function!(b"chdb_result_rows_read"),
            result_destroy: function!(b"chdb_destroy_query_result"),
        };
        // Never unloaded: the engine's threads outlive its connections and would run on in unmapped code.
        std::mem::forget(library);
        Ok(Self {
            functions: Arc::new(functions),
        })
    }

    /// Opens a connection on a folder, creating the database there when it is empty.
    ///
    /// # Errors
    /// When the engine refuses, for example because another process has the folder open.
    pub(crate) fn open(&self, folder: &Path) -> anyhow::Result<Connection> {
        let path = folder
            .to_str()
            .context("the data folder's name is not UTF-8")?;
        let mut arguments = [
            CString::new("clickhouse")?.into_raw(),
            CString::new(format!("--path={path}"))?.into_raw(),
        ];
        // SAFETY: two NUL-terminated strings that live over the call.
        let handle = unsafe { (self.functions.connect)(2, arguments.as_mut_ptr()) };
        for argument in arguments {
            // SAFETY: it came from CString::into_raw above; the engine has copied it.
            drop(unsafe { CString::from_raw(argument) });
        }
        if handle.is_null() {
            bail!(
                "ClickHouse cannot open {path}; another process may have it open, or the disk is full"
            );
        }
        Ok(Connection {
            functions: self.functions.clone(),
            handle,
        })
    }
}

/// A connection to the engine. One statement at a time, on one thread at a time.
pub(crate) struct Connection {
    functions: Arc<Functions>,
    handle: *mut RawConnection,
}

// SAFETY: the engine lets a connection move between threads; `&mut self` keeps it to one at a time.
unsafe impl Send for Connection {}

impl std::fmt::Debug for Connection {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Connection").finish_non_exhaustive()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // SAFETY: the handle came from connect and is closed once.
        unsafe { (self.functions.close)(self.handle) }
    }
}

/// A statement: its text, the format of its data where it names none, and its parameters.
#[derive(Debug, Clone)]
pub(crate) struct Statement {
    /// The SQL.
    pub sql: Vec<u8>,
    /// The output format of a query, or the format of an insert's data.
    pub format: String,
    /// Names and values of `{name:Type}` parameters.
    pub parameters: Vec<(String, String)>,
}

impl Statement {
    /// A statement without parameters, in tab-separated format.
    #[must_use]
    pub(crate) fn plain(sql: &str) -> Self {
        Self {
            sql: sql.as_bytes().to_vec(),
            format: "TabSeparated".to_owned(),
            parameters: Vec::new(),
        }
    }
}

/// What the engine counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Rows of the result.
    pub rows_read: u64,
    /// Rows written.
    pub rows_written: u64,
}

/// The engine's own message, `Code: N. DB::Exception: …`.
pub(crate) type EngineError = String;

struct Parameters {
    names: Vec<*const c_char>,
    name_lengths: Vec<usize>,
    values: Vec<*const c_char>,
    value_lengths: Vec<usize>,
}

impl Parameters {
    fn of(statement: &Statement) -> Self {
        let pointers = |texts: &[&String]| {
            (
                texts.iter().map(|text| text.as_ptr().cast()).collect(),
                texts.iter().map(|text| text.len()).collect(),
            )
        };
        let (names, values): (Vec<&String>, Vec<&String>) = statement
            .parameters
            .iter()
            .map(|(name, value)| (name, value))
            .unzip();
        let (names, name_lengths) = pointers(&names);
        let (values, value_lengths) = pointers(&values);
        Self {
            names,
            name_lengths,
            values,
            value_lengths,
        }
    }
}

/// A result that is destroyed when dropped.
struct Answer<'a> {
    functions: &'a Functions,
    raw: *mut RawResult,
}

impl Answer<'_> {
    fn error(&self) -> Option<EngineError> {
        if self.raw.is_null() {
            return Some("Code: 1002. DB::Exception: the engine gave no answer".to_owned());
        }
        // SAFETY: a live result; the message, if any, is NUL-terminated and lives as long as it.
        unsafe {
            let message = (self.functions.result_error)(self.raw);
            (!message.is_null()).then(|| CStr::from_ptr(message).to_string_lossy().into_owned())
        }
    }

    fn bytes(&self) -> &[u8] {
        // SAFETY: a live result; its buffer holds that many bytes for as long as it lives.
        unsafe {
            let buffer = (self.functions.result_buffer)(self.raw);
            let length = (self.functions.result_length)(self.raw);
            if buffer.is_null() || length == 0 {
                return &[];
            }
            std::slice::from_raw_parts(buffer.cast(), length)
        }
    }

    fn counts(&self) -> Counts {
        // SAFETY: a live result.
        unsafe {
            Counts {
                rows_read: (self.functions.result_rows_read)(self.raw),
                rows_written: (self.functions.result_rows_written)(self.raw),
            }
        }
    }
}

impl Drop for Answer<'_> {
    fn drop(&mut self) {
        if !self.raw.is_null() {
            // SAFETY: a live result, destroyed once.
            unsafe { (self.functions.result_destroy)(self.raw) }
        }
    }
}

impl Connection {
    /// Runs a statement and gives its whole output.
    ///
    /// # Errors
    /// The engine's message.
    pub(crate) fn query(
        &mut self,
        statement: &Statement,
    ) -> Result<(Vec<u8>, Counts), EngineError> {
        let answer = self.run(self.functions.query, statement);
        match answer.error() {
            Some(error) => Err(error),
            None => Ok((answer.bytes().to_vec(), answer.counts())),
        }
    }

    /// Runs a query and hands its output over in blocks, until `each` answers `false`.
    ///
    /// # Errors
    /// The engine's message, also when it fails after some blocks.
    pub(crate) fn stream(
        &mut self,
        statement: &Statement,
        mut each: impl FnMut(&[u8]) -> bool,
    ) -> Result<(), EngineError> {
        let stream = self.run(self.functions.stream_query, statement);
        if let Some(error) = stream.error() {
            return Err(error);
        }
        loop {
            // SAFETY: the connection and the stream's handle are live.
            let raw = unsafe { (self.functions.stream_fetch)(*self.handle, stream.raw) };
            let block = Answer {
                functions: &self.functions,
                raw,
            };
            if let Some(error) = block.error() {
                return Err(error);
            }
            let bytes = block.bytes();
            if bytes.is_empty() {
                return Ok(());
            }
            if !each(bytes) {
                // SAFETY: as above.
                unsafe { (self.functions.stream_cancel)(*self.handle, stream.raw) };
                return Ok(());
            }
        }
    }

    /// Runs an insert whose data `read` fills into the buffer, until it fills nothing.
    ///
    /// # Errors
    /// The engine's message, or that of `read`; nothing is committed then.
    pub(crate) fn insert(
        &mut self,
        statement: &Statement,
        mut read: impl FnMut(&mut [u8]) -> std::io::Result<usize>,
    ) -> Result<Counts, EngineError> {
        let parameters = Parameters::of(statement);
        // SAFETY: pointers and lengths of strings that live over the call.
        let handle = unsafe {
            (self.functions.insert_begin)(
                *self.handle,
                statement.sql.as_ptr().cast(),
                statement.sql.len(),
                statement.format.as_ptr().cast(),
                statement.format.len(),
                parameters.names.as_ptr(),
                parameters.name_lengths.as_ptr(),
                parameters.values.as_ptr(),
                parameters.value_lengths.as_ptr(),
                statement.parameters.len(),
            )
        };
        let insert = Insert {
            functions: &self.functions,
            handle,
        };
        if let Some(error) = insert.error() {
            return Err(error);
        }
        let mut buffer = vec![0; 256 * 1024];
        loop {
            let filled = read(&mut buffer).map_err(|error| {
                format!("Code: 1000. DB::Exception: the request's data ended early: {error}")
            })?;
            if filled == 0 {
                break;
            }
            // SAFETY: the buffer holds that many bytes; the engine copies them.
            let state =
                unsafe { (self.functions.insert_append)(handle, buffer.as_ptr().cast(), filled) };
            if state != 0 {
                break;
            }
        }
        // SAFETY: a live insert, finished once.
        let done = Answer {
            functions: &self.functions,
            raw: unsafe { (self.functions.insert_done)(handle) },
        };
        match done.error().or_else(|| insert.error()) {
            Some(error) => Err(error),
            None => Ok(done.counts()),
        }
    }

    fn run(&self, query: Query, statement: &Statement) -> Answer<'_> {
        let parameters = Parameters::of(statement);
        // SAFETY: pointers and lengths of strings that live over the call.
        let raw = unsafe {
            query(
                *self.handle,
                statement.sql.as_ptr().cast(),
                statement.sql.len(),
                statement.format.as_ptr().cast(),
                statement.format.len(),
                parameters.names.as_ptr(),
                parameters.name_lengths.as_ptr(),
                parameters.values.as_ptr(),
                parameters.value_lengths.as_ptr(),
                statement.parameters.len(),
            )
        };
        Answer {
            functions: &self.functions,
            raw,
        }
    }
}

/// An insert that is destroyed, and cancelled where unfinished, when dropped.
struct Insert<'a> {
    functions: &'a Functions,
    handle: RawInsert,
}

impl Insert<'_> {
    fn error(&self) -> Option<EngineError> {
        // SAFETY: a live insert; the message, if any, is NUL-terminated and lives as long as it.
        unsafe {
            let message = (self.functions.insert_error)(self.handle);
            (!message.is_null()).then(|| CStr::from_ptr(message).to_string_lossy().into_owned())
        }
    }
}

impl Drop for Insert<'_> {
    fn drop(&mut self) {
        // SAFETY: a live insert, destroyed once.
        unsafe { (self.functions.insert_destroy)(self.handle) }
    }
}
