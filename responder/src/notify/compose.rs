//! Composing: what is told to whom when something happens to a case.

use std::collections::BTreeMap;
use std::sync::Arc;

use backbone::id;
use backbone::region::{Contact, ContactRole, Region, Unit};
use jiff::Timestamp;
use url::Url;

use super::body::{Body, CaseBody, DigestBody, Kind};
use super::{Addressee, Notice};
use crate::case::{Action, Case, MOST_HAND_BACKS, MoveError};

/// Composes the notices of cases.
#[derive(Debug)]
pub struct Composer {
    regions: Arc<BTreeMap<String, Region>>,
    public_url: Url,
}

impl Composer {
    /// For the units of the given regions, with links to the console at `public_url`.
    #[must_use]
    pub fn new(regions: Arc<BTreeMap<String, Region>>, public_url: Url) -> Self {
        Self {
            regions,
            public_url,
        }
    }

    /// Checks that a dispatch names units of the region.
    ///
    /// # Errors
    /// Names the unit that is not one.
    pub fn check_units(
        &self,
        region: &str,
        lead: &str,
        assists: &[String],
    ) -> Result<(), MoveError> {
        let region = self.regions.get(region);
        for code in std::iter::once(lead).chain(assists.iter().map(String::as_str)) {
            if region.and_then(|region| region.unit(code)).is_none() {
                return Err(MoveError::UnknownUnit(code.to_owned()));
            }
        }
        Ok(())
    }

    /// The notices that a move causes: to all units of the case when it is dispatched, to the office what it has to decide
    /// (to its leader where the table of moves says so), else to the lead.
    pub(crate) fn compose(&self, case: &Case, action: Action, note: &str) -> Vec<Notice> {
        let kind = match action {
            Action::Dispatch | Action::Redispatch => Kind::Dispatch,
            Action::Urge => Kind::Urge,
            Action::Supervise => Kind::Supervise,
            Action::SendBack => Kind::SendBack,
            Action::Approve => Kind::Approve,
            Action::Extend | Action::RefuseExtension => Kind::Decision,
            Action::Return => {
                let leader = case.hand_backs >= MOST_HAND_BACKS;
                return self.to_office(case, leader, Kind::HandBack, note);
            }
            Action::AskExtension => return self.to_office(case, false, Kind::Extension, note),
            Action::Reply => return self.to_office(case, case.level <= 2, Kind::Review, ""),
            _ => return Vec::new(),
        };
        let told = match kind {
            Kind::Dispatch => case.parts.as_slice(),
            _ => case.parts.get(..1).unwrap_or_default(),
        };
        told.iter()
            .flat_map(|part| self.to_unit(case, &part.unit, kind, note))
            .collect()
    }

    fn to_office(&self, case: &Case, leader: bool, kind: Kind, note: &str) -> Vec<Notice> {
        let role = if leader {
            ContactRole::OfficeLeader
        } else {
            ContactRole::DutyOfficer
        };
        self.to_role(case, case.lead(), role, kind, note)
    }

    /// The notices to one unit of a case: to its contacts; where it has none, to its lead. The same kind, note and version
    /// of the case give the same ids, so that what is queued twice is told once.
    #[must_use]
    pub fn to_unit(&self, case: &Case, unit: &str, kind: Kind, note: &str) -> Vec<Notice> {
        let unit = self
            .regions
            .get(&case.region)
            .and_then(|region| region.unit(unit));
        let Some(unit) = unit else {
            return Vec::new();
        };
        unit.first_contacts()
            .into_iter()
            .filter_map(|contact| self.notice(case, unit, (unit, contact), kind, note))
            .collect()
    }

    /// The notices to those of a role about what a unit has to do: of that unit, or of the duty office where the role is
    /// one of its own.
    /// Where nobody has the role, to those of the next role above that somebody has. Ids as for
    /// [`Composer::to_unit`].
    #[must_use]
    pub fn to_role(
        &self,
        case: &Case,
        unit: &str,
        role: ContactRole,
        kind: Kind,
        note: &str,
    ) -> Vec<Notice> {
        let Some(region) = self.regions.get(&case.region) else {
            return Vec::new();
        };
        let Some(unit) = region.unit(unit) else {
            return Vec::new();
        };
        let office = region.units.iter().find(|unit| unit.duty_office);
        ContactRole::ALL
            .into_iter()
            .filter(|next| *next >= role)
            .map(|next| {
                let of = if next.of_duty_office() {
                    office
                } else {
                    Some(unit)
                };
                of.into_iter()
                    .flat_map(|unit| unit.contacts_as(next).map(move |contact| (unit, contact)))
                    .filter_map(|to| self.notice(case, unit, to, kind, note))
                    .collect::<Vec<_>>()
            })
            .find(|notices| !notices.is_empty())
            .unwrap_or_default()
    }

    /// Notices of cases that go out at one time: those to one contact in one.
    #[must_use]
    pub fn gathered(&self, notices: Vec<Notice>, now: Timestamp) -> Vec<Notice> {
        let mut by_contact: BTreeMap<Addressee, Vec<Notice>> = BTreeMap::new();
        for notice in notices {
            let same = by_contact.entry(notice.addressee.clone()).or_default();
            same.push(notice);
        }
        (by_contact.into_values())
            .flat_map(|same| match self.digest(&same, now) {
                Some(digest) => vec![digest],
                None => same,
            })
            .collect()
    }

    /// One notice that tells of several to one contact; none where there is one only.
    fn digest(&self, notices: &[Notice], now: Timestamp) -> Option<Notice> {
        let [first, _, ..] = notices else {
            return None;
        };
        let ids: Vec<&str> = notices.iter().map(|notice| notice.id.as_str()).collect();
        let id = id::of("digest", &ids);
        let bodies = notices.iter().filter_map(|notice| match &notice.body {
            Body::Case(body) => Some(body.clone()),
            _ => None,
        });
        let to = first.addressee.clone();
        let link = self.public_url.join("cases").ok()?.to_string();
        let body = DigestBody::new(&id, &to.unit, bodies.collect(), link);
        Notice::queued(id.clone(), &id, to, &first.reach, now, Body::Digest(body))
    }

    /// The notice of a case, as it is with `unit`, to a contact of `to`.
    fn notice(
        &self,
        case: &Case,
        unit: &Unit,
        (to, contact): (&Unit, &Contact),
        kind: Kind,
        note: &str,
    ) -> Option<Notice> {
        let version = case.version.to_string();
        let named = [
            case.id.as_str(),
            &version,
            kind.name(),
            &unit.code,
            &to.code,
            &contact.name,
            note,
        ];
        let id = id::of("notice", &named);
        let link = self.public_url.join(&format!("cases/{}", case.id)).ok()?;
        let lead = unit.code == case.lead();
        let body = Body::Case(CaseBody {
            id: id.clone(),
            kind,
            action: kind.title().to_owned(),
            case: case.id.clone(),
            title: case.alert.event.title.clone(),
            level: case.level,
            unit: unit.code.clone(),
            unit_name: unit.name.clone(),
            lead,
            sign_by: (case.part(&unit.code).and_then(|part| part.sign_by))
                .map(|due| due.to_string())
                .unwrap_or_default(),
            respond_by: case.respond_by.to_string(),
            note: note.to_owned(),
            link: link.to_string(),
        });
        let addressee = Addressee {
            region: case.region.clone(),
            unit: to.code.clone(),
            contact: contact.name.clone(),
        };
        Notice::queued(
            id,
            &case.id,
            addressee,
            &contact.reach,
            case.updated_at,
            body,
        )
    }
}
