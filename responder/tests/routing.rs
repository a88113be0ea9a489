//! Who gets what, by the routing of the first county.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on fails"
)]

use std::path::{Path, PathBuf};

use backbone::message::{self, Alert, Place};
use responder::routing::{Routed, Routing};

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn fengxin() -> Routing {
    Routing::load(&project().join("deploy/config/region/360921")).unwrap()
}

fn alert(title: &str, subject: &str, place: Option<&str>, level: u8) -> Alert {
    let example = std::fs::read(project().join("backbone/examples/alerts/v1/yellow.json")).unwrap();
    let mut alert: Alert = message::decode(&example).unwrap();
    alert.level = level;
    title.clone_into(&mut alert.event.title);
    alert.event.gist.clear();
    subject.clone_into(&mut alert.event.subject);
    alert.event.places = place
        .map(|name| Place {
            name: name.to_owned(),
            kind: "town".to_owned(),
            within: String::new(),
        })
        .into_iter()
        .collect();
    alert
}

fn check(title: &str, subject: &str, place: Option<&str>, level: u8, lead: &str, assists: &[&str]) {
    let routed: Routed = fengxin().route(&alert(title, subject, place, level));
    assert_eq!(
        (routed.lead.as_str(), routed.assists.as_slice()),
        (lead, &*own(assists)),
        "{title}: {routed:?}"
    );
    assert!(!routed.because.is_empty());
}

fn own(codes: &[&str]) -> Vec<String> {
    codes.iter().map(|code| (*code).to_owned()).collect()
}

#[test]
fn the_unit_in_charge_leads_and_the_unit_of_the_place_assists() {
    check(
        "楼上漏水没人修",
        "城乡建设",
        Some("冯川镇"),
        4,
        "zhujian",
        &["fengchuan"],
    );
    check("楼上漏水没人修", "城乡建设", None, 4, "zhujian", &[]);
}

#[test]
fn a_word_of_a_unit_tells_more_than_the_subject() {
    check(
        "孩子的学区怎么划",
        "城乡建设",
        Some("赤岸镇"),
        4,
        "jiaoti",
        &["chian"],
    );
}

#[test]
fn a_rule_names_who_leads_and_who_assists() {
    check(
        "工地拖欠工资",
        "劳动和社会保障",
        Some("上富镇"),
        4,
        "renshe",
        &["zhujian", "shangfu"],
    );
    check(
        "村委会账目不公开",
        "城乡建设",
        Some("罗市镇"),
        4,
        "luoshi",
        &["zhujian"],
    );
}

#[test]
fn a_grave_matter_is_known_to_the_county_office_too() {
    check(
        "楼上漏水没人修",
        "城乡建设",
        Some("冯川镇"),
        1,
        "zhujian",
        &["zhengfuban", "fengchuan"],
    );
}

#[test]
fn what_belongs_to_no_one_goes_to_the_duty_office() {
    check("一件说不清的事", "", None, 4, "zhengfuban", &[]);
}

fn refusal(routing: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let from = project().join("deploy/config/region/360921");
    for file in ["region.toml", "units.toml"] {
        std::fs::copy(from.join(file), folder.path().join(file)).unwrap();
    }
    std::fs::write(folder.path().join("routing.toml"), routing).unwrap();
    Routing::load(folder.path()).unwrap_err().to_string()
}

#[test]
fn a_mistake_is_named_with_file_rule_and_remedy() {
    let cases = [
        (
            "[route]\nlead = \"huanbao\"\n",
            "`route.lead` names the unit `huanbao`",
        ),
        (
            "[route]\nlead = \"by-place-and-subject\"\n[[route.routes]]\nmatch = { words = [\"x\"] }\n",
            "`route.routes[0]` sends its matters to no one",
        ),
        (
            "[route]\nlead = \"zhujian\"\n[[route.routes]]\nmatch = { place = [\"南昌\"] }\nlead = \"zhujian\"\n",
            "`route.routes[0].match.place` names `南昌`",
        ),
        (
            "[route]\nlead = \"zhujian\"\n[[route.routes]]\nlead = \"zhujian\"\ncontinue = true\n",
            "a rule that goes on can only add",
        ),
        (
            "[route]\nlead = \"zhujian\"\nreceiver = 1\n",
            "routing.toml:3: unknown field `receiver`",
        ),
    ];
    for (routing, expected) in cases {
        let said = refusal(routing);
        assert!(
            said.contains("routing.toml") && said.contains(expected),
            "{said}"
        );
    }
}
