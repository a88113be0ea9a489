//! Many counties out of one.

use std::path::{Path, PathBuf};

use crate::program::project;

/// Writes the sample county under each of the codes into the folder, which is made; gives their folders.
///
/// # Errors
/// When they cannot be written.
pub fn counties(folder: &Path, codes: &[impl AsRef<str>]) -> std::io::Result<Vec<PathBuf>> {
    let sample = project().join("deploy/sample/region/990101");
    let rules = project().join("deploy/config/region/rules");
    let mut counties = Vec::new();
    for code in codes {
        let county = folder.join(code.as_ref());
        std::fs::create_dir_all(&county)?;
        for name in ["region.toml", "units.toml", "routing.toml"] {
            let text = std::fs::read_to_string(sample.join(name))?;
            let text = text.replace(
                "code = \"990101\"",
                &format!("code = \"{}\"", code.as_ref()),
            );
            let text = text.replace(
                "rules = \"../../../config/region/rules\"",
                &format!("rules = \"{}\"", rules.display()),
            );
            std::fs::write(county.join(name), text)?;
        }
        counties.push(county);
    }
    Ok(counties)
}
