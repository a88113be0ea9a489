//! What is wrong with the settings, and with all that they lead to: told by `check-config`.

use std::path::Path;

use backbone::clickhouse;
use backbone::region::Region;
use backbone::settings::Problems;

use crate::model::Models;
use crate::pipeline::Pipeline;
use crate::rules::Rules;
use crate::settings::Settings;

/// Checks a settings file, and the regions, rules, models, certificates and secrets that it names; adds every problem.
pub fn config(path: &Path, problems: &mut Problems) {
    let Some(settings) = Settings::read(path, problems) else {
        return;
    };
    problems.tried(path, settings.kafka.client_config());
    problems.tried(path, clickhouse::client(&settings.clickhouse));
    if let Some(asked) = &settings.second_opinion {
        problems.tried(path, asked.key.check("second_opinion.key"));
    }
    let regions = Region::read_all(&settings.regions, problems);
    for region in regions.values() {
        problems.take(Rules::load(&region.gazetteer.rules));
    }
    if problems.is_empty() {
        let made = Pipeline::new(&regions, &settings.model, &settings.events, &settings.risk);
        problems.tried(path, made);
    } else {
        problems.tried(path, Models::load(&settings.model));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_would_keep_it_from_working_is_told_at_once_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("analyzer.toml");
        let text = "regions = [\"nowhere\"]\nmodel = \"no-model\"\n[kafka]\nbrokers = \"127.0.0.1:9\"\npartitions = 0\n\
            [clickhouse]\nurl = \"https://wensheng:secret@127.0.0.1:9\"\nca = \"no-ca.pem\"\n[operations]\nlisten = \"127.0.0.1:0\"\n\
            [second_opinion]\nurl = \"llm\"\nmodel = \"m\"\nkey = { env = \"WENSHENG_NOT_SET_ANYWHERE\" }\n\
            [risk.sensitivity]\n\"民政\" = 7\n\"天文\" = 0.5\n[trends]\nrise_least = 0\n";
        std::fs::write(&path, text).unwrap();
        let (mut problems, mut told) = (Problems::default(), Vec::new());
        config(&path, &mut problems);
        problems.tell(&mut told).unwrap_err();
        let told = String::from_utf8(told).unwrap();
        let begins = [
            "analyzer.toml:5: `kafka.partitions` must be 1 or more",
            "analyzer.toml:7: `clickhouse.url` holds a password",
            "analyzer.toml:16: `risk.sensitivity.民政` must be 0 to 1",
            "analyzer.toml:12: `second_opinion.url` is no address",
            "analyzer.toml:15: `risk.sensitivity` has the unknown subject `天文`",
            "analyzer.toml:19: `trends.rise_least` must be 2 to 1000000",
            "analyzer.toml:8: `clickhouse.ca` cannot be read from ",
            "analyzer.toml:14: `second_opinion.key` is not set: set the environment variable WENSHENG_NOT_SET_ANYWHERE",
            "nowhere/region.toml",
            "nowhere/units.toml",
            "analyzer.toml: ",
        ];
        for (line, begin) in told.lines().zip(begins) {
            assert!(line.contains(begin), "{begin}: {told}");
        }
        assert_eq!(told.lines().count(), begins.len(), "{told}");
        assert!(!told.contains("secret@"), "{told}");
    }
}
