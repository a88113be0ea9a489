//! What is told to whom.

use std::collections::BTreeMap;
use std::sync::Arc;

use backbone::region::{Contact, ContactRole, Reach, Region};
use responder::case::Case;
use responder::notify::{Body, Composer, Kind, Notice};

use super::matter::{REGION, of_units};
use crate::ground::project;

fn composer(contacts: &[(&str, &str, ContactRole)]) -> Composer {
    let mut region = Region::load(&project().join("deploy/config/region").join(REGION)).unwrap();
    for unit in &mut region.units {
        let of_unit = contacts.iter().filter(|(code, ..)| *code == unit.code);
        unit.contact = of_unit
            .map(|(_, name, role)| Contact {
                name: (*name).to_owned(),
                role: *role,
                reach: vec![Reach {
                    channel: "group".to_owned(),
                    to: String::new(),
                }],
            })
            .collect();
    }
    let regions = Arc::new(BTreeMap::from([(REGION.to_owned(), region)]));
    Composer::new(regions, "https://wensheng.test/".parse().unwrap())
}

fn case() -> Case {
    of_units("5f0c", 3, &["zhujian", "fengchuan"])
}

fn names(notices: &[Notice]) -> Vec<String> {
    let name = |notice: &Notice| {
        let to = &notice.addressee;
        format!("{}/{}", to.unit, to.contact)
    };
    notices.iter().map(name).collect()
}

use ContactRole::{Contact as Person, DutyLeader, DutyOfficer, Lead, OfficeLeader};

#[test]
fn a_unit_is_told_through_its_contacts_and_a_role_by_who_has_it() {
    let composer = composer(&[
        ("zhujian", "联络员甲", Person),
        ("zhujian", "联络员乙", Person),
        ("zhujian", "局长", Lead),
        ("fengchuan", "镇长", Lead),
        ("zhengfuban", "值班室", DutyOfficer),
        ("zhengfuban", "分管领导", OfficeLeader),
    ]);
    let case = case();
    let to_unit = |unit| names(&composer.to_unit(&case, unit, Kind::Urge, ""));
    assert_eq!(to_unit("zhujian"), ["zhujian/联络员甲", "zhujian/联络员乙"]);
    assert_eq!(to_unit("fengchuan"), ["fengchuan/镇长"]);
    assert!(to_unit("jiaoti").is_empty(), "it has nobody");
    let to_role =
        |role| names(&composer.to_role(&case, "zhujian", role, Kind::Escalation, "签收超期"));
    assert_eq!(to_role(Lead), ["zhujian/局长"]);
    assert_eq!(to_role(DutyOfficer), ["zhengfuban/值班室"]);
    // Nobody is duty leader: the next above is told.
    assert_eq!(to_role(DutyLeader), ["zhengfuban/分管领导"]);
}

#[test]
fn a_unit_without_anybody_escalates_to_the_duty_office() {
    let composer = composer(&[("zhengfuban", "值班室", DutyOfficer)]);
    let told = composer.to_role(&case(), "zhujian", Person, Kind::Escalation, "");
    assert_eq!(names(&told), ["zhengfuban/值班室"]);
    let Body::Case(body) = &told[0].body else {
        panic!("it is about a case")
    };
    assert_eq!(
        (body.unit.as_str(), body.lead),
        ("zhujian", true),
        "with whom it is"
    );
    assert_eq!(body.link, "https://wensheng.test/cases/5f0c");
}

#[test]
fn the_same_again_is_the_same_notice_and_anything_else_another() {
    let composer = composer(&[("zhujian", "联络员甲", Person)]);
    let id = |case: &Case, kind, note| composer.to_unit(case, "zhujian", kind, note)[0].id.clone();
    let first = id(&case(), Kind::Reminder, "签收期限将到");
    assert_eq!(first, id(&case(), Kind::Reminder, "签收期限将到"));
    let later = Case {
        version: 3,
        ..case()
    };
    for other in [
        id(&case(), Kind::Reminder, "答复期限将到"),
        id(&case(), Kind::Urge, "签收期限将到"),
        id(&later, Kind::Reminder, "签收期限将到"),
    ] {
        assert_ne!(first, other);
    }
}
