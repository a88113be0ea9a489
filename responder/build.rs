//! Gets the libraries that the console's pages use, those of `web/package-lock.json`, so that they are embedded in the
//! program: who builds needs npm, who runs a release does not.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

const LISTS: [&str; 3] = ["package.json", "package-lock.json", ".npmrc"];

fn main() -> Result<(), Box<dyn Error>> {
    let lists = Path::new("web");
    let out = PathBuf::from(env::var("OUT_DIR")?).join("web");
    fs::create_dir_all(&out)?;
    for list in LISTS {
        println!("cargo::rerun-if-changed=web/{list}");
        fs::copy(lists.join(list), out.join(list))?;
    }
    let got = Command::new("npm")
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])
        .current_dir(&out)
        .status()
        .map_err(|error| {
            format!("npm cannot be run ({error}): building the console needs Node.js 18 or newer with npm")
        })?;
    if !got.success() {
        return Err(format!(
            "npm ci in {} failed ({got}): what it said is above; it needs the package registry, or npm's cache of it",
            out.display()
        )
        .into());
    }
    Ok(())
}
