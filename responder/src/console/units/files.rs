//! The files of a region: who is there, who gets what, which places there are. What is typed is checked by the code that
//! reads them at the start; it is saved where the responder may write them, and the version before is kept.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use backbone::settings::{SettingsError, faultless};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use tracing::warn;

use crate::case::NewAttachment;
use crate::clock::CHINA;
use crate::console::access::SignedIn;
use crate::console::fields::{Choice, Fields};
use crate::console::page::{Frame, render_as};
use crate::console::problem::Problem;
use crate::console::units::warnings;
use crate::console::{Console, place};
use crate::regions::check_contacts;
use crate::routing::{Routing, Texts};

/// Longest text of a file, in bytes.
const LONGEST: usize = 2 * 1024 * 1024;
/// Where versions before are kept, in the region's folder.
const HISTORY: &str = "history";

/// The files, with what each is for.
const FILES: [(&str, &str); 3] = [
    (Texts::UNITS, "单位"),
    (Texts::ROUTING, "分派规则"),
    (Texts::REGION, "地名"),
];

/// What is wrong with a file, as `check-config` says it.
struct FindingLine {
    file: String,
    line: Option<usize>,
    problem: String,
}

#[derive(Template)]
#[template(path = "unit-files.html")]
struct FilesPage {
    frame: Frame,
    code: String,
    regions: Vec<Choice>,
    files: Vec<Choice>,
    file: &'static str,
    text: String,
    /// What the file was when the form was shown.
    base: String,
    may_save: bool,
    errors: Vec<FindingLine>,
    warnings: Vec<String>,
    problem: String,
    done: String,
}

/// A form that was handled.
#[derive(Default)]
struct Told {
    status: StatusCode,
    errors: Vec<FindingLine>,
    warnings: Vec<String>,
    problem: String,
    done: String,
}

/// A file as it is.
pub(in crate::console) async fn show(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    fields: Fields,
) -> Result<Response, Problem> {
    let (routing, file) = asked(&console, &signed_in, &fields)?;
    let text = read(&routing.folder().join(file))?;
    let base = digest(&text);
    page(
        &console,
        &signed_in,
        routing,
        file,
        (text, base),
        Told::default(),
    )
}

/// Checks what a file is to be, and saves it where that is asked.
pub(in crate::console) async fn check(
    State(console): State<Arc<Console>>,
    signed_in: SignedIn,
    Extension(upload): Extension<NewAttachment>,
    fields: Fields,
) -> Result<Response, Problem> {
    let (routing, file) = asked(&console, &signed_in, &fields)?;
    let base = fields.get("base").to_owned();
    let text = if upload.content.is_empty() {
        // Forms end lines with two characters.
        fields.raw("text").replace("\r\n", "\n")
    } else {
        match String::from_utf8(upload.content) {
            Ok(text) => text,
            Err(_) => {
                let told = refused("上传的文件不是UTF-8编码的文本。");
                return page(
                    &console,
                    &signed_in,
                    routing,
                    file,
                    (String::new(), base),
                    told,
                );
            }
        }
    };
    if text.trim().is_empty() || text.len() > LONGEST {
        let told = refused("内容为空或超过2MB。");
        return page(&console, &signed_in, routing, file, (text, base), told);
    }
    let folder = routing.folder();
    let found = examine(&console, folder, file, &text);
    let (errors, warnings) = match found {
        Ok(warnings) => (Vec::new(), warnings),
        Err(error) => (error.each().iter().map(finding).collect(), Vec::new()),
    };
    if !errors.is_empty() {
        let told = Told {
            errors,
            ..refused("检查没有通过，没有保存。请按提示更正后再检查。")
        };
        return page(&console, &signed_in, routing, file, (text, base), told);
    }
    if fields.get("save").is_empty() {
        let told = Told {
            warnings,
            done: "检查通过，尚未保存。".to_owned(),
            ..Told::default()
        };
        return page(&console, &signed_in, routing, file, (text, base), told);
    }
    let now = Timestamp::now();
    let before = read(&folder.join(file))?;
    if digest(&before) != base {
        let told = refused("文件在此期间已被他人修改，没有保存。请复制您的内容，重新打开后再改。");
        return page(&console, &signed_in, routing, file, (text, base), told);
    }
    // First, so that nothing is changed of which nobody knows by whom.
    let subject = format!("{}/{file}", routing.region().code());
    (console.accounts)
        .audit(&signed_in.user.name, "save-region-file", &subject, now)
        .await?;
    let told = match save(folder, file, &before, &text, now) {
        Ok(kept) => Told {
            warnings,
            done: format!("已保存；上一版本保留为 {kept}。重启响应程序和分析程序后生效。"),
            ..Told::default()
        },
        Err(error) => {
            warn!(%error, file, "a region's file could not be saved");
            refused("没有保存：响应程序不能写这个文件。请把改好的文件交给运维人员。")
        }
    };
    let base = read(&folder.join(file)).map(|text| digest(&text))?;
    page(&console, &signed_in, routing, file, (text, base), told)
}

fn refused(problem: &str) -> Told {
    Told {
        status: StatusCode::UNPROCESSABLE_ENTITY,
        problem: problem.to_owned(),
        ..Told::default()
    }
}

/// The region and the file that a request is about.
fn asked<'a>(
    console: &'a Console,
    signed_in: &SignedIn,
    fields: &Fields,
) -> Result<(&'a Routing, &'static str), Problem> {
    let region = place::region(console, signed_in, fields)?;
    let routing = console.routings.get(region.code());
    // A form that brings a file has no field of that name.
    let name = match (fields.get("file"), fields.get("file_name")) {
        ("", "") => Texts::UNITS,
        ("", name) | (name, _) => name,
    };
    let file = FILES.iter().find(|(known, _)| *known == name);
    let (file, _) = file.ok_or(Problem::NotFound)?;
    Ok((routing.ok_or(Problem::NotFound)?, file))
}

/// Checks the folder as it would be with the text, by the code that reads it at the start. Gives the warnings.
fn examine(
    console: &Console,
    folder: &Path,
    file: &str,
    text: &str,
) -> Result<Vec<String>, SettingsError> {
    let of = |name: &str| {
        if name == file {
            Ok(text.to_owned())
        } else {
            backbone::settings::read(&folder.join(name))
        }
    };
    let texts = Texts {
        region: of(Texts::REGION)?,
        units: of(Texts::UNITS)?,
        routing: of(Texts::ROUTING)?,
    };
    let routing = faultless(|problems| {
        let routing = Routing::parse(folder, &texts, problems)?;
        let flaws = check_contacts(&routing, &console.surroundings.channels);
        problems.note_in(&folder.join(Texts::UNITS), &texts.units, flaws);
        Some(routing)
    })?;
    Ok(warnings(&routing))
}

fn finding(error: &SettingsError) -> FindingLine {
    let name = |path: &Path| match path.file_name() {
        Some(name) => name.to_string_lossy().into_owned(),
        None => String::new(),
    };
    match error {
        SettingsError::Invalid {
            path,
            line,
            problem,
        } => FindingLine {
            file: name(path),
            line: *line,
            problem: problem.told().to_owned(),
        },
        other => FindingLine {
            file: String::new(),
            line: None,
            problem: other.to_string(),
        },
    }
}

/// Puts the text in the file's place; what it was is kept under a name with the time, which is given.
fn save(
    folder: &Path,
    file: &str,
    before: &str,
    text: &str,
    now: Timestamp,
) -> std::io::Result<String> {
    let time = CHINA.to_datetime(now).strftime("%Y%m%d-%H%M%S").to_string();
    let kept = format!("{HISTORY}/{file}.{time}");
    std::fs::create_dir_all(folder.join(HISTORY))?;
    write_new(&folder.join(&kept), before)?;
    // At once: whoever reads the file meets the one or the other.
    let new = folder.join(format!("{file}.new"));
    // One that was begun and not ended.
    match std::fs::remove_file(&new) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    write_new(&new, text)?;
    std::fs::rename(&new, folder.join(file))?;
    Ok(kept)
}

fn write_new(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = std::fs::File::create_new(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn read(path: &Path) -> Result<String, Problem> {
    backbone::settings::read(path).map_err(|error| {
        warn!(%error, "a region's file cannot be read");
        Problem::Broken
    })
}

fn digest(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

fn page(
    console: &Console,
    signed_in: &SignedIn,
    routing: &Routing,
    file: &'static str,
    (text, base): (String, String),
    told: Told,
) -> Result<Response, Problem> {
    let region = routing.region();
    let folder = routing.folder();
    let may_save = rustix::fs::access(folder, rustix::fs::Access::WRITE_OK).is_ok();
    let page = FilesPage {
        code: region.code().to_owned(),
        regions: place::regions(console, signed_in, region),
        files: FILES
            .map(|(name, title)| Choice::new(name, format!("{title} {name}"), file))
            .into_iter()
            .collect(),
        file,
        text,
        base,
        may_save,
        errors: told.errors,
        warnings: told.warnings,
        problem: told.problem,
        done: told.done,
        frame: Frame::new(console, signed_in, "/units", "配置文件"),
    };
    render_as(told.status, &page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_saved_leaves_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("units.toml"), "before").unwrap();
        let now = "2026-11-26T01:02:03Z".parse().unwrap();
        let kept = save(folder.path(), "units.toml", "before", "after", now).unwrap();
        assert_eq!(kept, "history/units.toml.20261126-090203");
        let text = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!(text("units.toml"), "after");
        assert_eq!(text(&kept), "before");
        // Twice in a second: the version before is not written over.
        assert!(save(folder.path(), "units.toml", "after", "again", now).is_err());
        assert_eq!(text(&kept), "before");
    }
}
