//! Channels as configured.

use std::path::Path;

use responder::settings::Settings;

/// What is wrong with the shipped settings when they have the given beside them.
fn problem(extra: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("responder.toml");
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/config/responder.toml");
    let text = std::fs::read_to_string(shipped).unwrap();
    std::fs::write(&path, format!("{text}\n{extra}")).unwrap();
    Settings::load(&path).map_or_else(|error| error.to_string(), |_| String::new())
}

const ROBOT: &str =
    "[[channel]]\nname = \"group\"\nkind = \"wecom-robot\"\nkey = { env = \"KEY\" }\n";
const MAIL: &str = "[[channel]]\nname = \"mail\"\nkind = \"smtp\"\nhost = \"mail.test\"\nfrom = \"闻声 <a@b.test>\"\n";
const SMS: &str =
    "[[channel]]\nname = \"sms\"\nkind = \"webhook\"\nurl = \"http://127.0.0.1:9/\"\n";

#[test]
fn channels_of_every_kind_are_taken() {
    let all = format!(
        "{ROBOT}{MAIL}{SMS}[[channel]]\nname = \"app\"\nkind = \"wecom-app\"\ncorp_id = \"w\"\nagent_id = 1\nsecret = {{ file = \"s\" }}\n\
         [[channel]]\nname = \"ding\"\nkind = \"dingtalk\"\naccess_token = {{ env = \"T\" }}\n\
         [[channel]]\nname = \"feishu\"\nkind = \"feishu\"\nhook = {{ env = \"H\" }}\nsecret = {{ env = \"S\" }}\nper_minute = 50\n\
         [administrator]\nreach = [{{ channel = \"group\" }}, {{ channel = \"mail\", to = \"a@b.test\" }}]\n"
    );
    assert_eq!(problem(&all), "");
}

#[test]
fn a_mistake_in_a_channel_is_named_with_the_remedy() {
    let cases: [(String, &str); 20] = [
        (
            ROBOT.replace("wecom-robot", "pigeon"),
            "unknown variant `pigeon`, expected one of `wecom-robot`",
        ),
        (
            ROBOT.replace("kind = \"wecom-robot\"\n", ""),
            "missing field `kind`",
        ),
        (
            ROBOT.replace("key =", "token ="),
            "unknown field `token`, expected `url` or `key`",
        ),
        (
            format!("{ROBOT}secret = {{ env = \"S\" }}\n"),
            "unknown field `secret`",
        ),
        (format!("{ROBOT}{ROBOT}"), "channel `group` is listed twice"),
        (
            format!("{ROBOT}url = \"ftp://wecom.test/\"\n"),
            "channel \"group\": `url` must begin with http",
        ),
        (
            format!("{ROBOT}attempts = 0\n"),
            "channel \"group\": `attempts`",
        ),
        (
            format!("{ROBOT}timeout_seconds = 500\n"),
            "`timeout_seconds` must be 1 to 120",
        ),
        (
            format!("{MAIL}user = \"a\"\n"),
            "channel \"mail\": `user` and `password` go together",
        ),
        (
            format!("{MAIL}user = \"a\"\npassword = {{ env = \"P\" }}\nprotection = \"none\"\n"),
            "would be sent for all to read",
        ),
        (
            MAIL.replace("闻声 <a@b.test>", "闻声"),
            "`from` is `闻声`, which is no mailbox",
        ),
        (
            format!("{SMS}body = '{{\"x\": {{{{ texts }}}}}}'\n"),
            "`body` names `texts`; known are id kind to",
        ),
        (
            format!("{SMS}body = '{{\"x\": {{{{ text }}'\n"),
            "`body` is no template: line 1",
        ),
        (
            format!("{SMS}body = '{{\"x\": \"{{{{ text }}}}\"}}'\n"),
            "without quotes around it",
        ),
        (
            format!("{SMS}done = {{ at = \"code\", is = [\"0\"] }}\n"),
            "`done` needs `at` beginning with /",
        ),
        (
            format!("{ROBOT}[administrator]\nreach = []\n"),
            "`administrator.reach` is empty",
        ),
        (
            "[administrator]\nreach = [{ channel = \"phone\" }]\n".to_owned(),
            "the channel `phone` is not in the settings; add a [[channel]]",
        ),
        (
            format!("{ROBOT}[administrator]\nreach = [{{ channel = \"group\", to = \"x\" }}]\n"),
            "channel `group`: `to` is of no use",
        ),
        (
            format!("{MAIL}[administrator]\nreach = [{{ channel = \"mail\" }}]\n"),
            "channel `mail`: `to` is missing; give a mailbox",
        ),
        (
            format!(
                "{SMS}body = '{{\"x\": {{{{ to }}}}}}'\n[administrator]\nreach = [{{ channel = \"sms\" }}]\n"
            ),
            "give what the channel's `body` needs as `to`",
        ),
    ];
    for (extra, expected) in cases {
        let said = problem(&extra);
        assert!(
            said.contains("responder.toml") && said.contains(expected),
            "{extra}\n{said}"
        );
    }
}

/// The lines of a file with its commented examples in force.
fn in_force(text: &str) -> String {
    let line = |line: &str| {
        let example = line.strip_prefix("# ").filter(|rest| {
            let (name, _) = rest.split_once(" = ").unwrap_or((rest, ""));
            rest.starts_with('[') || name.chars().all(|c| c.is_ascii_lowercase() || c == '_')
        });
        example.unwrap_or(line).to_owned() + "\n"
    };
    text.lines().map(line).collect()
}

#[test]
fn the_examples_beside_the_shipped_settings_and_units_are_right() {
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/config");
    let folder = tempfile::tempdir().unwrap();
    let settings = std::fs::read_to_string(config.join("responder.toml")).unwrap();
    let begin = "# The administrator is told";
    let (before, examples) = settings.split_once(begin).unwrap();
    let path = folder.path().join("responder.toml");
    std::fs::write(&path, format!("{before}{begin}{}", in_force(examples))).unwrap();
    let settings = Settings::load(&path).unwrap();
    assert_eq!(settings.channel.len(), 6);
    assert!(settings.administrator.is_some());

    for file in ["region.toml", "units.toml"] {
        let text = std::fs::read_to_string(config.join("region/360921").join(file)).unwrap();
        let text = text.replace("../rules", config.join("region/rules").to_str().unwrap());
        let text = match text.split_once("# Whom its notices go to") {
            Some((before, after)) => {
                let (example, after) = after.split_once("\n\n").unwrap();
                format!("{before}#{}\n{after}", in_force(example))
            }
            None => text,
        };
        std::fs::write(folder.path().join(file), text).unwrap();
    }
    let region = backbone::region::Region::load(folder.path()).unwrap();
    let office = region.units.iter().find(|unit| unit.duty_office).unwrap();
    assert_eq!(office.contact.len(), 1);
    for reach in &office.contact[0].reach {
        responder::notify::channel::check_reach(reach, &settings.channel).unwrap();
    }
}
